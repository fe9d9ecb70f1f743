/** The emulator process: see protocol.ts for what it hears and says. */
import { monotonicMicroseconds, requestRealtimeScheduling, type SchedulingReport } from "../../../stack/io/clock.ts";
import { serveLines, writeLine } from "../../../stack/io/line-process.ts";
import { Emulator } from "./emulator.ts";
import type { EmulatorConfig, EmulatorControl, EmulatorLine } from "./protocol.ts";

let emulator: Emulator | undefined;
let stats: NodeJS.Timeout | undefined;

const say: (line: EmulatorLine) => void = writeLine;

function start(config: EmulatorConfig): void {
  const priority = config.realtimePriority ?? 10;
  const scheduling: SchedulingReport =
    priority > 0 ? requestRealtimeScheduling(priority) : { policy: "other", reason: "not asked for" };
  emulator = new Emulator(config, scheduling, {
    interfaceError: (interfaceName, code) => say({ type: "interface", interfaceName, code }),
    warning: (link, direction, message) => say({ type: "warning", link, direction, message }),
  });
  say({ type: "ready", scheduling });
}

function control(running: Emulator, command: EmulatorControl): void {
  const { id } = command;
  try {
    switch (command.do) {
      case "stats":
        clearInterval(stats);
        sayStats(running);
        if (command.everyMicroseconds > 0) stats = setInterval(sayStats, command.everyMicroseconds / 1000, running);
        break;
      case "begin-traces":
        running.beginTraces(command.timeMicroseconds);
        break;
      case "quality":
        say({ type: "answer", id, ok: true, quality: running.quality });
        return;
      case "blackhole":
      case "restore":
      case "set":
        running.control(command);
        break;
      default:
        throw new Error(`cannot do ${JSON.stringify((command as { do: unknown }).do)}`);
    }
    say({ type: "answer", id, ok: true });
  } catch (error) {
    say({ type: "answer", id, ok: false, message: (error as Error).message });
  }
}

function sayStats(running: Emulator): void {
  const time = monotonicMicroseconds();
  for (const line of running.stats()) say({ type: "stats", time, ...line });
}

serveLines({
  onLine(value) {
    if (emulator === undefined) start(value as EmulatorConfig);
    else control(emulator, value as EmulatorControl);
  },
  onEnd() {
    clearInterval(stats);
    if (emulator === undefined) return;
    say({ type: "quality", links: emulator.stats(), ...emulator.quality });
    emulator.close();
  },
});

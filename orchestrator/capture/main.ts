/** The capture process: see protocol.ts for what it hears and says. */
import { serveLines, writeLine } from "../../stack/io/line-process.ts";
import { Capture } from "./capture.ts";
import { CaptureFileError } from "./capture-file.ts";
import type { CaptureConfig, CaptureControl, CaptureLine } from "./protocol.ts";

/** The machine lacks something: here, room on the disk. */
const exitCodeMachine = 3;

const say: (line: CaptureLine) => void = writeLine;

let capture: Promise<Capture | undefined> | undefined;

async function start(config: CaptureConfig): Promise<Capture | undefined> {
  try {
    const started = await Capture.start(config, fail);
    say({ type: "ready", realtimeOffsetMicroseconds: started.realtimeOffsetMicroseconds });
    return started;
  } catch (error) {
    fail(error as NodeJS.ErrnoException);
    return undefined;
  }
}

function fail(error: NodeJS.ErrnoException): void {
  say({ type: "error", ...(error.code === undefined ? {} : { code: error.code }), message: error.message });
  process.exitCode = error instanceof CaptureFileError ? exitCodeMachine : 1;
  stdin.end();
}

async function finish(): Promise<void> {
  const running = await capture;
  if (running !== undefined) say({ type: "done", ...(await running.stop()) });
}

const stdin = serveLines({
  onLine(value) {
    if (capture === undefined) capture = start(value as CaptureConfig);
    else if ((value as CaptureControl).do === "stop") stdin.end();
    else throw new Error(`cannot do ${JSON.stringify(value)}`);
  },
  onEnd() {
    void finish();
  },
});

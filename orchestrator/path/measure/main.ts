/**
 * The measuring process. stdin: one line, a {@link MeasureConfig}. stdout: a {@link MeasureLine} for each direction, then
 * `done`; or `error` and exit code 1.
 */
import { requestRealtimeScheduling, type SchedulingReport } from "../../../stack/io/clock.ts";
import { serveLines, writeLine } from "../../../stack/io/line-process.ts";
import type { DirectionMeasurement } from "./measurement.ts";
import { measureLinks, type MeasuredLink } from "./measure-links.ts";

export type MeasureConfig = { links: readonly MeasuredLink[]; attempts?: number };

export type MeasureLine =
  | ({ type: "measurement" } & DirectionMeasurement)
  | { type: "done"; scheduling: SchedulingReport }
  | { type: "error"; code?: string; message: string };

const say: (line: MeasureLine) => void = writeLine;

let measuring = false;

/** A failure becomes an unhandled rejection, which serveLines tells as an `error` line. */
async function measure(links: MeasureConfig["links"], attempts: number | undefined): Promise<void> {
  // One below the emulator: who sends the probes must not keep from work who releases them.
  const scheduling = requestRealtimeScheduling(9);
  await measureLinks(links, attempts, (measurement) => say({ type: "measurement", ...measurement }));
  measuring = false;
  say({ type: "done", scheduling });
  stdin.end();
}

const stdin = serveLines({
  onLine(value) {
    const { links, attempts } = value as MeasureConfig;
    measuring = true;
    void measure(links, attempts);
  },
  onEnd() {
    // Measurements in flight have sockets and timers open, and nobody waits for them any more.
    if (measuring) process.exit();
  },
});

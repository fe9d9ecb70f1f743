/**
 * Runs a command on a machine that is held up, as a guest is whose host has other work: `node tools/testing/held-up.ts [--mean S] [--longest S] -- COMMAND`.
 * A process of real-time priority on each processor takes it away again and again: mostly for 5 to 75 ms, each tenth time for 0.1 s up to the longest. A plain
 * busy loop does not show what this shows, because the scheduler cuts it in short slices. Needs root. Ends with the command's exit code.
 */
import { spawn } from "node:child_process";
import { availableParallelism } from "node:os";
import { parseArgs } from "node:util";

const priority = 98;

/** Until the process is ended. `Atomics.wait` sleeps without an event loop, so that nothing but the pauses is drawn. */
function holdUp(meanPauseSeconds: number, longestSeconds: number): never {
  const clock = new Int32Array(new SharedArrayBuffer(4));
  for (;;) {
    Atomics.wait(clock, 0, 0, -meanPauseSeconds * Math.log(1 - Math.random()) * 1e3);
    const seconds =
      Math.random() < 0.1 ? 0.1 + Math.random() * Math.max(0, longestSeconds - 0.1) : 0.005 + Math.random() * 0.07;
    const until = performance.now() + seconds * 1e3;
    while (performance.now() < until);
  }
}

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    mean: { type: "string", default: "0.2" },
    longest: { type: "string", default: "1" },
    worker: { type: "boolean", default: false },
  },
});
const [mean, longest] = [Number(values.mean), Number(values.longest)];
if (!(mean > 0 && longest > 0)) throw new RangeError("--mean and --longest take seconds above 0");
if (values.worker) holdUp(mean, longest);
const [command, ...words] = positionals;
if (command === undefined) throw new RangeError("name a command after --");

const workers = Array.from({ length: availableParallelism() }, (_, processor) =>
  spawn(
    "chrt",
    [
      ...["--fifo", String(priority), "taskset", "--cpu-list", String(processor), process.execPath],
      ...[import.meta.filename, "--worker", "--mean", String(mean), "--longest", String(longest)],
    ],
    { stdio: ["ignore", "ignore", "inherit"] },
  ),
);
const child = spawn(command, words, { stdio: "inherit" });
function release(): void {
  for (const worker of workers) worker.removeAllListeners("exit").kill("SIGKILL");
}
for (const worker of workers)
  worker.once("exit", (code) => {
    release();
    child.kill();
    throw new Error(`the machine is not held up: chrt ended with ${code}`);
  });
child.once("error", (error) => {
  release();
  throw error;
});
for (const signal of ["SIGINT", "SIGTERM"] as const) process.on(signal, () => child.kill(signal));
child.once("exit", (code) => {
  release();
  process.exitCode = code ?? 1;
});

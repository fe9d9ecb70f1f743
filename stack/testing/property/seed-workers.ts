/** Shares a range of seeds among as many processes as there are processors. */

import { fork } from "node:child_process";
import { once } from "node:events";
import { availableParallelism } from "node:os";
import { join } from "node:path";
import type { SeedRange, SeedReport } from "./seed-worker.ts";

const rangeLength = 250;

/** `onReport` is told after each range. Rejects when a process dies. */
export async function runSeedsInParallel(
  { from, to }: SeedRange,
  onReport: (total: SeedReport) => void = () => {},
): Promise<SeedReport> {
  const total: SeedReport = { count: 0, steps: 0, failing: [] };
  let next = from;
  const work = async (): Promise<void> => {
    const worker = fork(join(import.meta.dirname, "seed-worker.ts"), { stdio: "inherit" });
    try {
      const died = once(worker, "exit").then(([code]) => {
        throw new Error(`a process that ran seeds from ${next - rangeLength} on has ended with ${String(code)}`);
      });
      died.catch(() => {}); // Its end after the last seed is expected; before, the race below throws.
      while (next < to) {
        const range: SeedRange = { from: next, to: Math.min(to, next + rangeLength) };
        next = range.to;
        const answer = once(worker, "message") as Promise<[SeedReport]>;
        worker.send(range);
        const [report] = await Promise.race([answer, died]);
        total.count += report.count;
        total.steps += report.steps;
        total.failing.push(...report.failing);
        onReport(total);
      }
    } finally {
      worker.kill();
    }
  };
  await Promise.all(Array.from({ length: availableParallelism() }, work));
  total.failing.sort((a, b) => a.seed - b.seed);
  return total;
}

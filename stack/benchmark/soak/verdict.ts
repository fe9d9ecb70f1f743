/** What is asked of a soak, of the wire's and of that in virtual time: bytes right, sequence numbers wrapped, memory flat. */

import { growth } from "../statistics.ts";

/** Over the whole time after the warm-up: a share of the mean level, or so many bytes if that is more. */
const allowedGrowth = 0.05;
const allowedBytes = 8 * 2 ** 20;
/** Caches fill and the compiler works in the beginning: samples that do not count. */
const warmUpFraction = 0.2;

/** Bytes, one sample after the other at even distances. */
export type MemorySeries = Readonly<Record<"rss" | "heapUsed" | "external", readonly number[]>>;

export type Check = { what: string; passed: boolean; found: string };

/** One check for each kind of memory that grows or does not. */
export function memoryIsFlat(who: string, series: MemorySeries): Check[] {
  // The heap rises between collections and falls at them: that of the process as a whole, and the heap with what hangs on it, show a leak.
  const held = series.heapUsed.map((heap, i) => heap + series.external[i]!);
  return [["resident", settled(series.rss)] as const, ["heap and buffers", settled(held)] as const].map(
    ([kind, samples]) => {
      const what = `${who}: ${kind} memory is flat`;
      if (samples.length < 10) return { what, passed: false, found: `${samples.length} samples are too few` };
      const grown = growth(samples);
      const mean = samples.reduce((sum, sample) => sum + sample, 0) / samples.length;
      const found = `${(100 * grown).toFixed(1)} % of ${(mean / 2 ** 20).toFixed(0)} MiB over the time`;
      return { what, passed: grown <= allowedGrowth || grown * mean <= allowedBytes, found };
    },
  );
}

/** How often 32-bit sequence numbers went round, at least: wherever they began. */
export function wraps(bytesOfSubflows: readonly number[]): number {
  return bytesOfSubflows.reduce((sum, bytes) => sum + Math.floor(bytes / 2 ** 32), 0);
}

export function reportChecks(checks: readonly Check[]): string {
  return checks.map(({ what, passed, found }) => `${passed ? "passed" : "FAILED"}  ${what}: ${found}`).join("\n");
}

function settled(samples: readonly number[]): readonly number[] {
  return samples.slice(Math.ceil(samples.length * warmUpFraction));
}

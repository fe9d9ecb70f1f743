/** From times and counts to the figures of a link. */

/** @returns NaN for no values */
export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2;
}

/** A frame that came out of a line, microseconds. */
export type Arrival = { time: number; bytes: number };

/**
 * The rate of a line that was never idle, from when each of its frames arrived: the slope of bits over time by least
 * squares, so that no single late frame decides.
 *
 * @returns bits a second; NaN for fewer than 3 arrivals
 */
export function trainRate(unordered: readonly Arrival[]): number {
  const n = unordered.length;
  if (n < 3) return NaN;
  const arrivals = [...unordered].sort((a, b) => a.time - b.time);
  const origin = arrivals[0]!.time;
  let total = 0;
  const carried = arrivals.map(({ bytes }) => (total += bytes));
  const meanCarried = carried.reduce((sum, bytes) => sum + bytes, 0) / n;
  const meanTime = arrivals.reduce((sum, { time }) => sum + (time - origin), 0) / n;
  let covariance = 0;
  let variance = 0;
  for (let i = 0; i < n; i++) {
    const deviation = carried[i]! - meanCarried;
    covariance += deviation * (arrivals[i]!.time - origin - meanTime);
    variance += deviation * deviation;
  }
  return (8e6 * variance) / covariance;
}

/** 3.29 standard deviations: outside of it by chance once in a thousand. */
const z = 3.29;

/**
 * Wilson's score interval, 99.9 %, for a probability of which `hits` of `trials` were seen.
 *
 * @param variance how much wider than independent trials the count spreads (1: independent)
 */
export function probabilityInterval(hits: number, trials: number, variance = 1): [low: number, high: number] {
  const n = trials / variance;
  const p = hits / trials;
  const centre = (p + (z * z) / (2 * n)) / (1 + (z * z) / n);
  const half = (z / (1 + (z * z) / n)) * Math.sqrt((p * (1 - p)) / n + (z * z) / (4 * n * n));
  return [Math.max(0, centre - half), Math.min(1, centre + half)];
}

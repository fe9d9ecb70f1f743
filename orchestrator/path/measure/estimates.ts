/** From times and counts to the figures of a link. */

/** @returns NaN for no values */
export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2;
}

/**
 * The rate of a line that was never idle, from when each frame of one size arrived: the slope of bits over time by least
 * squares, so that no single late frame decides.
 *
 * @returns bits a second; NaN for fewer than 3 arrivals
 */
export function trainRate(arrivalMicroseconds: readonly number[], frameBytes: number): number {
  const n = arrivalMicroseconds.length;
  if (n < 3) return NaN;
  const times = [...arrivalMicroseconds].sort((a, b) => a - b);
  const origin = times[0]!;
  const meanIndex = (n - 1) / 2;
  const meanTime = times.reduce((sum, time) => sum + (time - origin), 0) / n;
  let covariance = 0;
  let indexSquares = 0;
  for (let i = 0; i < n; i++) {
    covariance += (i - meanIndex) * (times[i]! - origin - meanTime);
    indexSquares += (i - meanIndex) ** 2;
  }
  return (frameBytes * 8e6 * indexSquares) / covariance;
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

/**
 * What traces of cellular links in a moving car look like, for the model that generates such (`path/varying-link.ts`). Measured: the figures of each row, from
 * the statistics of the traces that the literature uses (Winstein, Sivaraman, Balakrishnan, NSDI'13). Ours, as those statistics don't tell: a gap comes once
 * a minute in the mean; the longest is that of 1000 s; the rate's correlation.
 */
const megabit = 1e6;

/** Mean, quantiles of one-second rates in Mbit/s, longest gap in seconds. */
const measured = {
  "umts-driving": { mean: 2.03, p10: 0.16, p50: 1.9, p90: 3.96, longestGap: 5.75 },
  /** Its longest gap is that of the other direction: what has no coverage has none either way. */
  "umts-driving-up": { mean: 0.95, p10: 0.3, p50: 1.08, p90: 1.42, longestGap: 5.75 },
  "evdo-driving": { mean: 0.52, p10: 0.05, p50: 0.41, p90: 1.17, longestGap: 11.6 },
  "lte-driving": { mean: 5.19, p10: 1.35, p50: 5.44, p90: 8.65, longestGap: 1.5 },
  "lte-driving-fast": { mean: 12.8, p10: 3.8, p50: 10, p90: 25.1, longestGap: 1.06 },
} as const;

export type LinkCalibrationName = keyof typeof measured;

export const linkCalibrationNames = Object.keys(measured) as [LinkCalibrationName, ...LinkCalibrationName[]];

export interface LinkCalibration {
  readonly meanBitsPerSecond: number;
  readonly rateQuantilesBitsPerSecond: { readonly p10: number; readonly p50: number; readonly p90: number };
  readonly correlationMicroseconds: number;
  readonly coverageMicroseconds: number;
  readonly gapMicroseconds: number;
  readonly longestGapMicroseconds: number;
}

const coverageSeconds = 60;
const observedSeconds = 1000;
const correlationSeconds = 4;

export function linkCalibration(name: LinkCalibrationName): LinkCalibration {
  const { mean, p10, p50, p90, longestGap } = measured[name];
  return {
    meanBitsPerSecond: mean * megabit,
    rateQuantilesBitsPerSecond: { p10: p10 * megabit, p50: p50 * megabit, p90: p90 * megabit },
    correlationMicroseconds: correlationSeconds * 1e6,
    coverageMicroseconds: coverageSeconds * 1e6,
    // The longest of n exponential times is their mean times the n-th harmonic number.
    gapMicroseconds: (longestGap / harmonicNumber(Math.round(observedSeconds / coverageSeconds))) * 1e6,
    longestGapMicroseconds: longestGap * 1e6,
  };
}

const harmonicNumber = (count: number): number =>
  Array.from({ length: count }, (_, i) => 1 / (i + 1)).reduce((a, b) => a + b, 0);

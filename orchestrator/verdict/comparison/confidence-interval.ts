/** How far the mean of a few repetitions may be from the one of many. */

export interface Estimate {
  readonly samples: readonly number[];
  readonly mean: number;
  /** Half the width of the 95 % interval of the mean; absent where one sample says nothing of its spread. */
  readonly halfWidth?: number;
}

/** 97.5 % quantiles of Student's t for 1, 2, 3 … degrees of freedom; beyond, the normal distribution's is near enough. */
const studentQuantiles = [
  12.706, 4.303, 3.182, 2.776, 2.571, 2.447, 2.365, 2.306, 2.262, 2.228, 2.201, 2.179, 2.16, 2.145, 2.131, 2.12, 2.11,
  2.101, 2.093, 2.086, 2.08, 2.074, 2.069, 2.064, 2.06, 2.056, 2.052, 2.048, 2.045, 2.042,
];
const normalQuantile = 1.96;

/** @param samples at least one */
export function estimateMean(samples: readonly number[]): Estimate {
  const count = samples.length;
  const mean = samples.reduce((sum, sample) => sum + sample, 0) / count;
  if (count < 2) return { samples, mean };
  const variance = samples.reduce((sum, sample) => sum + (sample - mean) ** 2, 0) / (count - 1);
  const quantile = studentQuantiles[count - 2] ?? normalQuantile;
  return { samples, mean, halfWidth: quantile * Math.sqrt(variance / count) };
}

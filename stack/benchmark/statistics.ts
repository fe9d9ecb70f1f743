/** Few samples from a machine that others use as well: medians and ranges. */

/** The value below which `fraction` of the samples are, interpolated between neighbours. @throws RangeError for no samples */
export function quantile(samples: readonly number[], fraction: number): number {
  if (samples.length === 0) throw new RangeError("a quantile of no samples");
  const sorted = samples.toSorted((a, b) => a - b);
  const place = (sorted.length - 1) * fraction;
  const below = Math.floor(place);
  const above = Math.min(below + 1, sorted.length - 1);
  return sorted[below]! + (sorted[above]! - sorted[below]!) * (place - below);
}

export function median(samples: readonly number[]): number {
  return quantile(samples, 0.5);
}

/**
 * How one compares with another that was measured in the same rounds: the median of the rounds' ratios, in which what disturbed both is out.
 * @throws RangeError when they do not have as many rounds, or none
 */
export function ratio(samples: readonly number[], reference: readonly number[]): number {
  if (samples.length !== reference.length) throw new RangeError("ratios of samples that are not of the same rounds");
  return median(samples.map((sample, round) => sample / reference[round]!));
}

/**
 * What a straight line through the samples gains from the first to the last of them (least squares), as a share of their mean.
 * @throws RangeError for fewer than two samples
 */
export function growth(samples: readonly number[]): number {
  const { length } = samples;
  if (length < 2) throw new RangeError("a trend of fewer than two samples");
  const middle = (length - 1) / 2;
  const mean = samples.reduce((sum, sample) => sum + sample, 0) / length;
  let covariance = 0;
  let variance = 0;
  samples.forEach((sample, i) => {
    covariance += (i - middle) * (sample - mean);
    variance += (i - middle) ** 2;
  });
  return ((covariance / variance) * (length - 1)) / mean;
}

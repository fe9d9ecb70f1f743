/** Quantiles of a few values, and how sure they are, without a guess at how the values are distributed. */
import type { RepetitionStatistic } from "../model/repetition-statistic.ts";
import { estimateMean } from "./comparison/confidence-interval.ts";
import type { JudgedRepetitions } from "./verdict.ts";

const confidence = 0.95;

/** @param samples at least one */
export function statisticOf(statistic: RepetitionStatistic, samples: readonly number[]): number {
  const sorted = samples.toSorted((one, other) => one - other);
  const last = sorted.length - 1;
  switch (statistic) {
    case "mean":
      return estimateMean(samples).mean;
    case "median":
      return (sorted[Math.floor(last / 2)]! + sorted[Math.ceil(last / 2)]!) / 2;
    case "min":
      return sorted[0]!;
    case "max":
      return sorted[last]!;
    case "p95":
      // Nearest rank.
      return sorted[Math.ceil(0.95 * sorted.length) - 1]!;
  }
}

/** Undefined where so few samples tell nothing, and of the extremes, which have no end in sight. */
export function confidenceOf(
  statistic: RepetitionStatistic,
  samples: readonly number[],
): JudgedRepetitions["confidence"] {
  if (statistic === "min" || statistic === "max") return undefined;
  if (statistic !== "mean") return quantileInterval(samples, statistic === "median" ? 0.5 : 0.95);
  const { mean, halfWidth } = estimateMean(samples);
  return halfWidth === undefined ? undefined : { least: mean - halfWidth, most: mean + halfWidth };
}

/**
 * Two of the samples with the quantile between them in 95 of 100 cases or more: how many of n samples are below it is binomial (Conover, Practical Nonparametric
 * Statistics, §3.2). The median needs six samples, the 95th percentile 72: the greatest of fewer is too often below it.
 */
function quantileInterval(samples: readonly number[], share: number): JudgedRepetitions["confidence"] {
  const sorted = samples.toSorted((one, other) => one - other);
  const tail = (1 - confidence) / 2;
  const below = cumulativeBinomial(sorted.length, share);
  const least = sorted[below.findLastIndex((probability) => probability <= tail)];
  const most = sorted[below.findIndex((probability) => probability >= 1 - tail)];
  return least === undefined || most === undefined ? undefined : { least, most };
}

/** At index k the probability of at most k successes among n. In logarithms: (1 − p)ⁿ is below what a number holds for some n. */
function cumulativeBinomial(count: number, share: number): number[] {
  let logarithm = count * Math.log(1 - share);
  let sum = Math.exp(logarithm);
  const cumulative = [sum];
  for (let k = 1; k <= count; k++) {
    logarithm += Math.log((count - k + 1) / k) + Math.log(share / (1 - share));
    sum += Math.exp(logarithm);
    cumulative.push(sum);
  }
  return cumulative;
}

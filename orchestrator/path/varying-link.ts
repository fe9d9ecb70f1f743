/** Opportunities of a link whose rate varies and which is now and then without coverage: a model with two states, whose one-second rates are log-normal. */
import { opportunityBytes } from "./delivery-trace.ts";
import type { RandomStream } from "./random.ts";

export interface VaryingLink {
  /** Below which the one-second rates are for a tenth, half and nine tenths of the time, gaps and all. */
  readonly rateQuantilesBitsPerSecond: { readonly p10: number; readonly p50: number; readonly p90: number };
  /** Time after which the rate's logarithm has kept 1/e of where it was. */
  readonly correlationMicroseconds: number;
  /** Means of two exponential distributions: how long coverage lasts, and how long a gap. */
  readonly coverageMicroseconds: number;
  readonly gapMicroseconds: number;
}

/**
 * A trace in Mahimahi's sense. It begins with coverage, and ends with an opportunity, because the last one is the length of its round.
 *
 * @param gaps draws where coverage ends and begins again; the same stream for both directions of a link: their gaps are the same then
 * @param rates draws the rate of each second
 * @returns milliseconds, never decreasing
 */
export function generateTrace(
  link: VaryingLink,
  durationMicroseconds: number,
  gaps: RandomStream,
  rates: RandomStream,
): number[] {
  const opportunities: number[] = [];
  const rateOf = rateDistribution(link);
  const kept = Math.exp(-1e6 / link.correlationMicroseconds);
  const moved = Math.sqrt(1 - kept * kept);
  const milliseconds = Math.max(1, Math.round(durationMicroseconds / 1000));
  let level = rates.normal();
  let bitsPerMillisecond = 0;
  let credit = 0;
  let covered = false;
  let changesAt = 0;
  for (let now = 0; now < milliseconds; now++) {
    if (now % 1000 === 0) {
      bitsPerMillisecond = rateOf(level) / 1000;
      level = kept * level + moved * rates.normal();
    }
    while (now >= changesAt) {
      covered = !covered;
      const mean = covered ? link.coverageMicroseconds : link.gapMicroseconds;
      changesAt += -Math.log(1 - gaps.uniform()) * (mean / 1000);
    }
    if (covered) credit += bitsPerMillisecond;
    for (; credit >= opportunityBits; credit -= opportunityBits) opportunities.push(now + 1);
  }
  if (opportunities.at(-1) !== milliseconds) opportunities.push(milliseconds);
  return opportunities;
}

const opportunityBits = opportunityBytes * 8;

/**
 * Rates while there is coverage, by their normal score: log-normal in two pieces that meet in the median, so that all three quantiles are met; of measured
 * rates the slow half is spread wider than the fast one.
 */
function rateDistribution(link: VaryingLink): (score: number) => number {
  const { coverageMicroseconds, gapMicroseconds, rateQuantilesBitsPerSecond: quantiles } = link;
  const gapShare = gapMicroseconds / (coverageMicroseconds + gapMicroseconds);
  const score = (share: number): number => normalQuantile((share - gapShare) / (1 - gapShare));
  const [low, middle, high] = [score(0.1), score(0.5), score(0.9)];
  const below = Math.log(quantiles.p50 / quantiles.p10) / (middle - low);
  const above = Math.log(quantiles.p90 / quantiles.p50) / (high - middle);
  return (at) => quantiles.p50 * Math.exp((at < middle ? below : above) * (at - middle));
}

/** Of a share between 0 and 1, to some 1e-12. */
function normalQuantile(share: number): number {
  let [low, high] = [-6, 6];
  while (high - low > 1e-12) {
    const middle = (low + high) / 2;
    if (normalShareBelow(middle) < share) low = middle;
    else high = middle;
  }
  return low;
}

/** The normal distribution's share below a score, by its series (Marsaglia, 2004). */
function normalShareBelow(score: number): number {
  let term = score;
  let sum = score;
  for (let odd = 3; Math.abs(term) > 1e-16; odd += 2) {
    term *= (score * score) / odd;
    sum += term;
  }
  return 0.5 + (sum * Math.exp((-score * score) / 2)) / Math.sqrt(2 * Math.PI);
}

/** What a traffic pattern makes: transfers between hosts, before they have names, ports and seeds. Patterns are pure; each is a file. */
import type { RandomStream } from "../../path/random.ts";
import type { FlowSizes } from "../../model/traffic.ts";

export interface Flow {
  readonly from: string;
  readonly to: string;
  readonly startMicroseconds: number;
  /** Exactly one of the two. */
  readonly sizeBytes?: number;
  readonly durationMicroseconds?: number;
}

/** One size of a distribution, in whole bytes, at least one. */
export function drawSize(sizes: FlowSizes, random: RandomStream): number {
  return Math.max(1, Math.round(draw(sizes, random)));
}

function draw(sizes: FlowSizes, random: RandomStream): number {
  // Never 0, of which no logarithm and no root is finite.
  const share = 1 - random.uniform();
  switch (sizes.distribution) {
    case "fixed":
      return sizes.bytes;
    case "exponential":
      return -sizes.meanBytes * Math.log(share);
    case "pareto":
      // Its least value is that which gives the mean.
      return (sizes.meanBytes * (sizes.shape - 1)) / sizes.shape / share ** (1 / sizes.shape);
  }
}

/** A time until the next event of a Poisson process. */
export function drawInterval(meanMicroseconds: number, random: RandomStream): number {
  return -meanMicroseconds * Math.log(1 - random.uniform());
}

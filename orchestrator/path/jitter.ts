import type { RandomStream } from "./random.ts";

export type JitterParameters = {
  /** Half-width of the uniform distribution, standard deviation of the normal one. */
  microseconds: number;
  distribution: "uniform" | "normal";
  /** Whether a packet may overtake another; if not, it waits for the one before it. */
  reorder: boolean;
};

/** One deviation from the delay, microseconds, mean 0. */
export function sampleJitter(jitter: JitterParameters, random: RandomStream): number {
  return jitter.distribution === "normal"
    ? random.normal() * jitter.microseconds
    : (random.uniform() * 2 - 1) * jitter.microseconds;
}

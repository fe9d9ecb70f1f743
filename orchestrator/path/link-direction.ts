/**
 * What one direction of a link does to packets: plain data, made by the plan, checked there. An element that is left out
 * does nothing.
 */
export type LinkDirectionConfig = {
  /** Bits of Ethernet frame a second (no preamble, no FCS: what a capture shows); left out: no serialization. */
  rateBitsPerSecond?: number;
  /** What may wait for the rate, the packet being sent not counted; the tightest limit holds. Left out: no limit. */
  queue?: { bytes?: number; packets?: number; timeMicroseconds?: number };
  delayMicroseconds?: number;
  /** Added to the delay: uniform in ±microseconds, or normal with that standard deviation; never below 0 in sum. */
  jitter?: { microseconds: number; distribution: "uniform" | "normal"; reorder: boolean };
  loss?:
    | { kind: "bernoulli"; probability: number }
    | { kind: "gilbert-elliott"; pGoodToBad: number; pBadToGood: number; lossGood: number; lossBad: number };
  seed: number;
};

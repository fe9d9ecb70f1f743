/** Many flows described at once, checked and in base units. The plan makes a transfer of each. */

interface TrafficBase {
  readonly startMicroseconds: number;
  /** Who takes part; all hosts of the topology when left out. */
  readonly hosts?: readonly string[];
}

/** One flow for each pair, all at once. Exactly one of size and duration is there. */
export interface PairTraffic extends TrafficBase {
  readonly pattern: "permutation" | "one-to-many" | "all-to-all" | "sparse";
  readonly sizeBytes?: number;
  readonly durationMicroseconds?: number;
  /** `one-to-many`: who sends; the first of the hosts when left out. */
  readonly from?: string;
  /** `one-to-many`: to how many; to all others when left out. */
  readonly count?: number;
  /** `sparse`: the probability of a host to send. */
  readonly share?: number;
}

/** Means of exponential times. */
export interface OnOffTraffic extends TrafficBase {
  readonly pattern: "on-off";
  readonly onMicroseconds: number;
  readonly offMicroseconds: number;
  readonly durationMicroseconds: number;
}

export interface PoissonTraffic extends TrafficBase {
  readonly pattern: "poisson";
  /** Of all hosts together. */
  readonly flowsPerSecond: number;
  readonly sizes: FlowSizes;
  /** No flow begins later than this after the start. */
  readonly durationMicroseconds: number;
}

export type FlowSizes =
  | { readonly distribution: "fixed"; readonly bytes: number }
  | { readonly distribution: "exponential"; readonly meanBytes: number }
  /** `shape` above 1; below 2 the variance is infinite. */
  | { readonly distribution: "pareto"; readonly meanBytes: number; readonly shape: number };

export type Traffic = PairTraffic | OnOffTraffic | PoissonTraffic;

/** `verdict.json`. */
export interface Verdict {
  readonly schemaVersion: 1;
  /** `invalid`: the bench was off (links out of tolerance, capture with drops …), so nothing can be said. */
  readonly outcome: "passed" | "failed" | "invalid";
  readonly invalidBecause: readonly string[];
  readonly expectations: readonly JudgedExpectation[];
  /** What else was found that a reader of the verdict should know: the endpoint's word against the capture's, counters that moved. */
  readonly findings: readonly string[];
}

export interface JudgedExpectation {
  /** Which part of a bundle: absent for the experiment itself, else the baseline's name. */
  readonly baseline?: string;
  readonly workload: string;
  /** `goodput`, `subflows`, `longestGap`, `stalls`, `intact`, `fallback`. */
  readonly metric: string;
  /** `at least 9 Mbit/s`. */
  readonly expected: string;
  /** `9.41 Mbit/s`; a dash where it could not be measured. */
  readonly measured: string;
  readonly measuredValue?: number | boolean;
  readonly passed: boolean;
  /** Where the measured value comes from: `capture`, `bytes at the application`, `SHA-256 of the bytes`, `kernel counters`. */
  readonly witness: string;
}

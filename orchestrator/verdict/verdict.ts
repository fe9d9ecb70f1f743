import type { RepetitionStatistic } from "../model/repetition-statistic.ts";

/** `verdict.json`, of one run or of all repetitions of an experiment. */
export interface Verdict {
  readonly schemaVersion: 1;
  /** `invalid`: the bench was off (links out of tolerance, capture with drops …), so nothing can be said. */
  readonly outcome: "passed" | "failed" | "invalid";
  readonly invalidBecause: readonly string[];
  readonly expectations: readonly JudgedExpectation[];
  /** Of a run: what it measured of expectations that are judged over all repetitions; they have no part in its outcome. Absent where there are none. */
  readonly overRepetitions?: readonly RepetitionSample[];
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
  /** Of a verdict over repetitions. */
  readonly repetitions?: JudgedRepetitions;
}

/** What one run has to say of an expectation over repetitions. */
export interface RepetitionSample {
  readonly baseline?: string;
  readonly workload: string;
  readonly metric: string;
  readonly statistic: RepetitionStatistic;
  /** Of the statistic: `at least 9 Mbit/s`, and the same in numbers. */
  readonly expected: string;
  readonly atLeast?: number;
  readonly atMost?: number;
  readonly measured: string;
  /** Absent where it could not be measured or never came to its end. */
  readonly measuredValue?: number;
  readonly witness: string;
}

export interface JudgedRepetitions {
  readonly statistic: RepetitionStatistic;
  /** A value of each run, in the order of the runs. */
  readonly samples: readonly number[];
  /** Of 95 % (mean: Student's; median, p95: order statistics); absent where so few runs tell none, and of extremes. */
  readonly confidence?: { readonly least: number; readonly most: number };
}

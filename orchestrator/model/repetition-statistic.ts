/** What of a figure's values in all repetitions of an experiment an expectation speaks of. */
export const repetitionStatistics = ["mean", "median", "min", "max", "p95"] as const;

export type RepetitionStatistic = (typeof repetitionStatistics)[number];

/** Of an expectation: there where not each run is judged, but the statistic of all. */
export interface OverRepetitions {
  readonly overRepetitions?: RepetitionStatistic;
}

/** The verdict on all repetitions of an experiment: what is expected of each run, of how many it holds; what is expected over repetitions, by the statistic of all. */
import { isWithin } from "./judge-expectation.ts";
import { concluded } from "./judge.ts";
import { confidenceOf, statisticOf } from "./order-statistics.ts";
import { printMetric } from "./print-metric.ts";
import { printCount } from "./quantity.ts";
import type { JudgedExpectation, JudgedRepetitions, RepetitionSample, Verdict } from "./verdict.ts";

export interface Repetition {
  readonly seed: number;
  readonly verdict: Verdict;
}

/** @param repetitions at least one; one that is invalid makes the whole invalid, as its figures must not be used */
export function judgeRepetitions(repetitions: readonly Repetition[]): Verdict {
  const ofEachRun = groups(repetitions, ({ expectations }) => expectations).map(judgeEachRun);
  const ofAll = groups(repetitions, ({ overRepetitions = [] }) => overRepetitions).map((samples) =>
    judgeTogether(samples, repetitions.length),
  );
  return concluded({
    invalidBecause: repetitions.flatMap(({ seed, verdict }) =>
      verdict.invalidBecause.map((why) => `seed ${seed}: ${why}`),
    ),
    expectations: [...ofAll, ...ofEachRun],
    findings: countFindings(repetitions),
  });
}

interface OfRun<Line> {
  readonly seed: number;
  readonly line: Line;
}

type Line = Pick<JudgedExpectation, "baseline" | "workload" | "metric">;

/** The lines of all runs that speak of the same, in the order of the first run. */
function groups<L extends Line>(
  repetitions: readonly Repetition[],
  linesOf: (verdict: Verdict) => readonly L[],
): readonly (readonly OfRun<L>[])[] {
  const lines = repetitions.flatMap(({ seed, verdict }) => linesOf(verdict).map((line) => ({ seed, line })));
  return [
    ...Map.groupBy(lines, ({ line: { baseline, workload, metric } }) =>
      JSON.stringify([baseline, workload, metric]),
    ).values(),
  ];
}

function judgeEachRun(runs: readonly OfRun<JudgedExpectation>[]): JudgedExpectation {
  const [{ line: first }] = runs as [OfRun<JudgedExpectation>];
  const failed = runs.filter(({ line }) => !line.passed);
  const [worst] = failed;
  const kept = runs.length - failed.length;
  return {
    ...named(first),
    expected: `${first.expected}, in each run`,
    measured: `in ${kept} of ${printCount(runs.length, "run")}${worst === undefined ? "" : ` (seed ${worst.seed}: ${worst.line.measured})`}`,
    passed: failed.length === 0,
    witness: witnessOf(runs),
  };
}

/** A run of which nobody knows the figure, or in which it is infinite, is not left out: the expectation fails. */
function judgeTogether(runs: readonly OfRun<RepetitionSample>[], count: number): JudgedExpectation {
  const [{ line: first }] = runs as [OfRun<RepetitionSample>];
  const { metric, statistic } = first;
  const samples = runs.flatMap(({ line }) => line.measuredValue ?? []);
  const judged = {
    ...named(first),
    expected: `${statistic} of ${printCount(count, "run")} ${first.expected}`,
    witness: witnessOf(runs),
  };
  if (samples.length < count) {
    const without = runs.find(({ line }) => line.measuredValue === undefined);
    const why = without === undefined ? "not measured in all runs" : `seed ${without.seed}: ${without.line.measured}`;
    return { ...judged, measured: why, passed: false, repetitions: { statistic, samples } };
  }
  const value = statisticOf(statistic, samples);
  const confidence = confidenceOf(statistic, samples);
  return {
    ...judged,
    measured: `${printMetric(metric, value)}${printConfidence(metric, confidence)}`,
    measuredValue: value,
    passed: isWithin(first, value),
    repetitions: { statistic, samples, ...(confidence === undefined ? {} : { confidence }) },
  };
}

function printConfidence(metric: string, confidence: JudgedRepetitions["confidence"]): string {
  if (confidence === undefined) return "";
  return ` (95 %: ${printMetric(metric, confidence.least)} to ${printMetric(metric, confidence.most)})`;
}

const named = ({ baseline, workload, metric }: Line): Line => ({
  ...(baseline === undefined ? {} : { baseline }),
  workload,
  metric,
});

const witnessOf = (runs: readonly OfRun<{ readonly witness: string }>[]): string =>
  [...new Set(runs.map(({ line }) => line.witness))].join(", ");

/** What was found in several runs is told once. */
function countFindings(repetitions: readonly Repetition[]): string[] {
  const seeds = new Map<string, number[]>();
  for (const { seed, verdict } of repetitions)
    for (const finding of new Set(verdict.findings)) seeds.set(finding, [...(seeds.get(finding) ?? []), seed]);
  return [...seeds].map(([finding, where]) =>
    where.length === 1
      ? `seed ${where[0]}: ${finding}`
      : `in ${where.length} of ${printCount(repetitions.length, "run")}: ${finding}`,
  );
}

/** The verdict on a run: whether anything can be said at all, each expectation, and what else a reader should know. */
import type { CountersRecord, LinksRecord, ResultsRecord } from "../bundle/records.ts";
import type { RunRecord } from "../bundle/manifest.ts";
import type { Plan, PlannedWorkload } from "../plan/plan.ts";
import type { WireAnalysis } from "./capture-analysis/wire-analysis.ts";
import { findContradictions, findInCounters, findOnWire } from "./findings.ts";
import { judgeExpectation } from "./judge-expectation.ts";
import type { Judged } from "./judge-expectation.ts";
import { judgeTraffic } from "./judge-traffic.ts";
import { measureTraffic } from "./measure-traffic.ts";
import { failureOf, measureWorkload } from "./measure-workload.ts";
import type { WorkloadWitnesses } from "./measure-workload.ts";
import { printPercent, printRate, printTime } from "./quantity.ts";
import type { JudgedExpectation, RepetitionSample, Verdict } from "./verdict.ts";

export interface Evidence {
  readonly plan: Plan;
  readonly ended: RunRecord["ended"];
  readonly error?: string;
  /** End of the run, since its zero. */
  readonly endedAtMicroseconds: number;
  readonly results: ResultsRecord;
  readonly links: LinksRecord;
  readonly counters: CountersRecord;
  /** Absent where nothing was captured. */
  readonly wire?: WireAnalysis;
}

export function judge(evidence: Evidence): Verdict {
  const { plan } = evidence;
  const outcomes = new Map(evidence.results.workloads.map((outcome) => [outcome.workload, outcome]));
  const judged = plan.expectations.flatMap(({ workload: name, expectation }) => {
    const workload = plan.workloads.find((candidate) => candidate.name === name);
    if (workload === undefined) {
      const flows = flowsOf(plan, name).map((flow) => ({
        name: flow.name,
        measured: measureWorkload(witnessesOf(evidence, flow, outcomes.get(flow.name))),
      }));
      return judgeTraffic(expectation, measureTraffic(flows)).map((line) => ({ workload: name, ...line }));
    }
    const witnesses = witnessesOf(evidence, workload);
    return judgeExpectation(expectation, measureWorkload(witnesses), failureOf(witnesses.outcome)).map((line) => ({
      workload: name,
      ...line,
    }));
  });
  const { expectations, overRepetitions } = partition(judged);
  const invalidBecause = [
    ...runProblems(evidence),
    ...linkProblems(evidence.links),
    ...captureProblems(evidence),
    ...plan.expectations
      .filter(({ workload }) => isWithoutFlows(plan, workload))
      .map(({ workload }) => `${workload}: the seed drew no flow of it`),
    ...judged
      .filter(({ workload, witness }) => witness === "none" && !isWithoutFlows(plan, workload))
      .map(({ workload, metric }) => `${workload}: nobody saw its ${metric}`),
  ];
  const findings = [
    ...plan.workloads.flatMap((workload) =>
      findContradictions(witnessesOf(evidence, workload, outcomes.get(workload.name))),
    ),
    ...findOnWire(evidence.wire, plan),
    ...findInCounters(evidence.counters),
  ];
  return concluded({ invalidBecause, expectations, overRepetitions, findings });
}

function flowsOf({ workloads }: Plan, traffic: string): PlannedWorkload[] {
  return workloads.filter((workload) => workload.kind === "bulk" && workload.traffic === traffic);
}

/** A traffic of which, with this seed, no host sends anything. */
function isWithoutFlows(plan: Plan, name: string): boolean {
  return plan.workloads.every((workload) => workload.name !== name) && flowsOf(plan, name).length === 0;
}

/** What a run is judged by, and what it only adds to the judgement of all repetitions. */
function partition(judged: readonly (Judged & { readonly workload: string })[]): {
  readonly expectations: readonly JudgedExpectation[];
  readonly overRepetitions: readonly RepetitionSample[];
} {
  const expectations: JudgedExpectation[] = [];
  const overRepetitions: RepetitionSample[] = [];
  for (const { overRepetitions: repeated, ...line } of judged) {
    if (repeated === undefined) expectations.push(line);
    else {
      const { workload, metric, expected, measured, measuredValue, witness } = line;
      const value = typeof measuredValue === "number" ? { measuredValue } : {};
      overRepetitions.push({ workload, metric, ...repeated, expected, measured, ...value, witness });
    }
  }
  return { expectations, overRepetitions };
}

/** One verdict over an experiment and its baselines: as good as the worst of them. */
export function joinVerdicts(main: Verdict, baselines: Readonly<Record<string, Verdict>>): Verdict {
  const named = Object.entries(baselines);
  const invalidBecause = [
    ...main.invalidBecause,
    ...named.flatMap(([name, verdict]) => verdict.invalidBecause.map((why) => `${name}: ${why}`)),
  ];
  const expectations = [
    ...main.expectations,
    ...named.flatMap(([baseline, verdict]) => verdict.expectations.map((judged) => ({ baseline, ...judged }))),
  ];
  const findings = [
    ...main.findings,
    ...named.flatMap(([name, verdict]) => verdict.findings.map((finding) => `${name}: ${finding}`)),
  ];
  const overRepetitions = [
    ...(main.overRepetitions ?? []),
    ...named.flatMap(([baseline, verdict]) =>
      (verdict.overRepetitions ?? []).map((sample) => ({ baseline, ...sample })),
    ),
  ];
  return concluded({ invalidBecause, expectations, overRepetitions, findings });
}

export function concluded({
  invalidBecause,
  expectations,
  overRepetitions = [],
  findings,
}: Omit<Verdict, "schemaVersion" | "outcome">): Verdict {
  const passed = expectations.every((judged) => judged.passed);
  return {
    schemaVersion: 1,
    outcome: invalidBecause.length > 0 ? "invalid" : passed ? "passed" : "failed",
    invalidBecause,
    expectations,
    ...(overRepetitions.length > 0 && { overRepetitions }),
    findings,
  };
}

export function witnessesOf(
  evidence: Evidence,
  workload: PlannedWorkload,
  outcome = evidence.results.workloads.find((candidate) => candidate.workload === workload.name),
): WorkloadWitnesses {
  const client = evidence.plan.nodes.find(({ name }) => name === workload.client);
  return {
    workload,
    outcome,
    wire: evidence.wire,
    endedAtMicroseconds: evidence.endedAtMicroseconds,
    multipathWanted: client?.endpoint !== undefined && !["linux-tcp", "pathlab-tcp"].includes(client.endpoint.kind),
  };
}

/** A deadline that strikes in mid-transfer is a failed expectation; one before any segment of a workload was sent shows a bench that did not run. */
function runProblems({ ended, error, plan, wire }: Evidence): string[] {
  if (ended === "failed") return [`the run failed${error === undefined ? "" : `: ${error}`}`];
  if (ended === "interrupted") return ["the run was interrupted"];
  if (ended === "completed" || wire === undefined) return [];
  return plan.workloads
    .filter(({ name }) => wire.connections.every(({ workload }) => workload !== name))
    .map(({ name }) => `${name}: the deadline struck before anything of it was seen`);
}

function linkProblems({ measurements }: LinksRecord): string[] {
  return measurements
    .filter(({ withinTolerance }) => !withinTolerance)
    .map(({ link, direction, configured, measured, tolerance }) => {
      const off = [
        ...(configured.rateBitsPerSecond === undefined
          ? []
          : [`rate ${printRate(measured.rateBitsPerSecond ?? NaN)} of ${printRate(configured.rateBitsPerSecond)}`]),
        `delay ${printTime(measured.delayMicroseconds)} of ${printTime(configured.delayMicroseconds ?? 0)}`,
        ...(configured.loss === undefined ? [] : [`loss ${printPercent(measured.loss?.probability ?? NaN)}`]),
      ].join(", ");
      const limits = `±${printPercent(tolerance.rateShare)} of rate, ±${printTime(tolerance.delayMicroseconds)} of delay`;
      return `link ${link} (${direction}) measured out of tolerance before the run: ${off} (${limits})`;
    });
}

function captureProblems({ plan, wire }: Evidence): string[] {
  if (!plan.capture.enabled) return [];
  if (wire === undefined) return ["the capture is missing"];
  const { lostFrames, damage } = wire.capture;
  return [
    ...(lostFrames > 0 ? [`the capture lost ${lostFrames} frames`] : []),
    ...(damage === undefined ? [] : [`the capture cannot be read to its end: ${damage}`]),
  ];
}

/** The verdict on a run: whether anything can be said at all, each expectation, and what else a reader should know. */
import type { CountersRecord, LinksRecord, ResultsRecord } from "../bundle/records.ts";
import type { RunRecord } from "../bundle/manifest.ts";
import type { Plan, PlannedWorkload } from "../plan/plan.ts";
import type { WireAnalysis } from "./capture-analysis/wire-analysis.ts";
import { findContradictions, findInCounters, findOnWire } from "./findings.ts";
import { judgeExpectation } from "./judge-expectation.ts";
import { judgeTraffic } from "./judge-traffic.ts";
import { measureTraffic } from "./measure-traffic.ts";
import { measureWorkload } from "./measure-workload.ts";
import type { WorkloadWitnesses } from "./measure-workload.ts";
import { printPercent, printRate, printTime } from "./quantity.ts";
import type { JudgedExpectation, Verdict } from "./verdict.ts";

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
  const expectations: JudgedExpectation[] = plan.expectations.flatMap(({ workload: name, expectation }) => {
    const flows = plan.workloads.filter((candidate) => candidate.kind === "bulk" && candidate.traffic === name);
    if (flows.length > 0) {
      const measured = flows.map((flow) => ({
        name: flow.name,
        measured: measureWorkload(witnessesOf(evidence, flow, outcomes.get(flow.name))),
      }));
      return judgeTraffic(expectation, measureTraffic(measured)).map((judged) => ({ workload: name, ...judged }));
    }
    const workload = plan.workloads.find((candidate) => candidate.name === name);
    if (workload === undefined)
      throw new RangeError(`the plan expects something of workload ${name}, which it does not have`);
    const measured = measureWorkload(witnessesOf(evidence, workload));
    return judgeExpectation(expectation, measured).map((judged) => ({ workload: name, ...judged }));
  });
  const invalidBecause = [
    ...runProblems(evidence),
    ...linkProblems(evidence.links),
    ...captureProblems(evidence),
    ...expectations
      .filter(({ witness }) => witness === "none")
      .map(({ workload, metric }) => `${workload}: nobody saw its ${metric}`),
  ];
  const findings = [
    ...plan.workloads.flatMap((workload) =>
      findContradictions(witnessesOf(evidence, workload, outcomes.get(workload.name))),
    ),
    ...findOnWire(evidence.wire, plan),
    ...findInCounters(evidence.counters),
  ];
  return { schemaVersion: 1, outcome: outcomeOf(invalidBecause, expectations), invalidBecause, expectations, findings };
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
  return { schemaVersion: 1, outcome: outcomeOf(invalidBecause, expectations), invalidBecause, expectations, findings };
}

function outcomeOf(invalidBecause: readonly string[], expectations: readonly JudgedExpectation[]): Verdict["outcome"] {
  if (invalidBecause.length > 0) return "invalid";
  return expectations.every(({ passed }) => passed) ? "passed" : "failed";
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

/** The figures of one run that are compared with those of another, read from its bundle as the judge reads them. */
import type { Bundle } from "../../bundle/open-bundle.ts";
import { bundleFiles } from "../../bundle/layout.ts";
import type { Plan, PlannedWorkload } from "../../plan/plan.ts";
import { wireAnalysisSchema } from "../capture-analysis/wire-analysis.ts";
import { witnessesOf } from "../judge.ts";
import { measureTraffic } from "../measure-traffic.ts";
import { measureWorkload } from "../measure-workload.ts";
import type { WorkloadMeasurements } from "../measure-workload.ts";

export type ComparedMetric = "goodput" | "completion" | "longestGap" | "latency" | "fairness" | `share of ${string}`;

export interface Figure {
  /** Of a workload or a traffic. */
  readonly of: string;
  readonly metric: ComparedMetric;
  /** Bits per second, microseconds, or a share from 0 to 1; infinite where a transfer never ended. */
  readonly value: number;
}

/** Throws `BundleError` where a file of the bundle cannot be read. */
export async function figuresOf(bundle: Bundle): Promise<Figure[]> {
  const plan = await bundle.plan();
  const results = await bundle.results();
  const wire = (await bundle.has(bundleFiles.wire))
    ? await bundle.json(bundleFiles.wire, wireAnalysisSchema)
    : undefined;
  const evidence = {
    plan,
    results,
    // Asked for where a transfer never came to its end, and then the run had come to its deadline.
    endedAtMicroseconds: plan.deadlineMicroseconds,
    ended: bundle.manifest.run.ended,
    links: await bundle.links(),
    counters: await bundle.counters(),
    ...(wire !== undefined && { wire }),
  };
  const measured = plan.workloads.map((workload) => ({
    workload,
    measured: measureWorkload(witnessesOf(evidence, workload)),
  }));
  const alone = measured.filter(({ workload }) => trafficOf(workload) === undefined);
  return [
    ...alone.flatMap(({ workload, measured: own }) => [...figuresOfWorkload(workload, own), ...shares(workload, own)]),
    ...trafficNames(plan).flatMap((traffic) =>
      figuresOfTraffic(
        traffic,
        measured.filter(({ workload }) => trafficOf(workload) === traffic),
      ),
    ),
  ];
}

function figuresOfWorkload(workload: PlannedWorkload, measured: WorkloadMeasurements): Figure[] {
  const { goodputBitsPerSecond, completionMicroseconds, longestGapMicroseconds, latenciesMicroseconds } = measured;
  const latencies = latenciesMicroseconds?.value.toSorted((a, b) => a - b);
  const figures: readonly (readonly [ComparedMetric, number | undefined])[] = [
    // Questions set their own pace: what counts is how soon they are answered.
    ["goodput", workload.kind === "request-response" ? undefined : goodputBitsPerSecond?.value],
    ["completion", completionMicroseconds?.value],
    ["longestGap", longestGapMicroseconds?.value],
    ["latency", latencies?.[Math.floor((latencies.length - 1) / 2)]],
  ];
  return figures.flatMap(([metric, value]) => (value === undefined ? [] : [{ of: workload.name, metric, value }]));
}

/** Of the payload that arrived, how much came over each of several paths. */
function shares(workload: PlannedWorkload, { pathShares }: WorkloadMeasurements): Figure[] {
  const paths = Object.entries(pathShares?.value ?? {});
  if (paths.length < 2) return [];
  return paths
    .toSorted(([one], [other]) => (one < other ? -1 : 1))
    .map(([path, value]) => ({ of: workload.name, metric: `share of ${path}`, value }));
}

function figuresOfTraffic(
  traffic: string,
  flows: readonly { readonly workload: PlannedWorkload; readonly measured: WorkloadMeasurements }[],
): Figure[] {
  const { meanGoodputBitsPerSecond, fairness } = measureTraffic(
    flows.map(({ workload, measured }) => ({ name: workload.name, measured })),
  );
  return [
    ...(meanGoodputBitsPerSecond === undefined
      ? []
      : [{ of: traffic, metric: "goodput" as const, value: meanGoodputBitsPerSecond.value }]),
    ...(fairness === undefined ? [] : [{ of: traffic, metric: "fairness" as const, value: fairness.value }]),
  ];
}

const trafficOf = (workload: PlannedWorkload): string | undefined =>
  workload.kind === "bulk" ? workload.traffic : undefined;

const trafficNames = ({ workloads }: Plan): string[] => [
  ...new Set(workloads.flatMap((workload) => trafficOf(workload) ?? [])),
];

/** The run in one or two sentences, for somebody who reads nothing else. */
import type { PlannedWorkload } from "../plan/plan.ts";
import { deliveredDirection } from "../verdict/measure-workload.ts";
import type { WorkloadMeasurements } from "../verdict/measure-workload.ts";
import { printCount, printRate, printSize, printTime } from "../verdict/quantity.ts";
import { connectionsOf, measurementsOf } from "./run-view.ts";
import type { RunView } from "./run-view.ts";

export function summarise(run: RunView, baselines: readonly RunView[]): string {
  const { verdict, plan } = run;
  if (verdict?.outcome === "invalid")
    return `The figures of this run must not be used: ${verdict.invalidBecause.join("; ")}.`;
  const workloads = plan.workloads.map((workload) => summariseWorkload(run, workload, baselines)).join(" ");
  if (verdict === undefined) return workloads;
  const failed = verdict.expectations.filter(({ passed }) => !passed);
  const [first] = failed;
  if (verdict.expectations.length === 0) return `${workloads} Nothing was expected of it.`;
  if (first === undefined)
    return `${workloads} ${verdict.expectations.length === 1 ? "The expectation holds." : `All ${verdict.expectations.length} expectations hold.`}`;
  const where = first.baseline === undefined ? first.workload : `${first.baseline}, ${first.workload}`;
  const example = `${where}: ${first.metric} ${first.measured}, expected ${first.expected}`;
  const share = `${failed.length} of ${printCount(verdict.expectations.length, "expectation")} failed`;
  return `${workloads} ${share} (${failed.length === 1 ? "" : "first "}${example}).`;
}

function summariseWorkload(run: RunView, workload: PlannedWorkload, baselines: readonly RunView[]): string {
  const measured = measurementsOf(run, workload);
  const goodput = measured.goodputBitsPerSecond?.value;
  const rate = goodput === undefined ? "" : ` at ${printRate(goodput)}`;
  const paths = pathsUsed(run, workload);
  const over =
    paths.length === 0
      ? ""
      : ` over ${paths.length > 1 ? `${paths.slice(0, -1).join(", ")} and ${paths.at(-1)} at once` : paths[0]}`;
  const intact = measured.intact?.value === true ? ", every byte intact" : "";
  switch (workload.kind) {
    case "bulk":
      return `${workload.name} moved ${printSize(bytesOf(run, workload))}${over}${rate}${gainOver(baselines, workload, goodput)}${intact}.`;
    case "stream": {
      const stalls =
        measured.stalls === undefined
          ? ""
          : `, ${measured.stalls.value === 0 ? "without a stall" : `with ${printCount(measured.stalls.value, "stall")}`}`;
      const gap =
        measured.longestGapMicroseconds === undefined
          ? ""
          : `, longest gap ${printTime(measured.longestGapMicroseconds.value)}`;
      return `${workload.name} streamed ${printRate(workload.rateBitsPerSecond)}${over}${stalls}${gap}${intact}.`;
    }
    case "request-response":
      return `${workload.name} had ${printCount(measured.latenciesMicroseconds?.value.length ?? 0, "response")} to ${printCount(workload.count, "request")}${over}${intact}.`;
    case "application":
      return `${workload.run.argv[0]} on ${workload.client} had ${printSize(measured.bytes?.value ?? 0)}${over}${rate}${describePlayback(measured)}${intact}.`;
  }
}

function describePlayback({
  stalls,
  longestStallMicroseconds,
  latenessMicroseconds,
  frames,
}: WorkloadMeasurements): string {
  if (stalls === undefined) return "";
  const pictures = frames === undefined ? "" : ` and showed ${printCount(frames.value, "frame")}`;
  const late =
    latenessMicroseconds === undefined ? "" : `, the player ${printTime(latenessMicroseconds.value)} late at most`;
  if (stalls.value === 0) return `${pictures} without a stall${late}`;
  const longest =
    longestStallMicroseconds === undefined ? "" : `, the longest of ${printTime(longestStallMicroseconds.value)}`;
  return `${pictures} with ${printCount(stalls.value, "stall")}${longest}${late}`;
}

function pathsUsed(run: RunView, workload: PlannedWorkload): string[] {
  const subflows = connectionsOf(run, workload).flatMap((connection) => connection.subflows);
  return [
    ...new Set(
      subflows.filter((subflow) => deliveredDirection(workload, subflow).payloadBytes > 0).map(({ path }) => path),
    ),
  ];
}

function bytesOf(run: RunView, workload: PlannedWorkload): number {
  const outcome = run.results.workloads.find((candidate) => candidate.workload === workload.name);
  return [outcome?.client, outcome?.server].find((result) => result?.kind === "receiver")?.bytes ?? 0;
}

function gainOver(baselines: readonly RunView[], workload: PlannedWorkload, goodput: number | undefined): string {
  const others = baselines.flatMap((baseline) => {
    const planned = baseline.plan.workloads.find(({ name }) => name === workload.name);
    const rate = planned === undefined ? undefined : measurementsOf(baseline, planned).goodputBitsPerSecond?.value;
    return rate === undefined ? [] : [{ name: baseline.baseline ?? "", rate }];
  });
  const [best] = others.toSorted((one, other) => other.rate - one.rate);
  if (best === undefined || goodput === undefined || best.rate === 0) return "";
  return `, ${(goodput / best.rate).toFixed(2)} times the ${printRate(best.rate)} of ${best.name}`;
}

/** A run as the report looks at it: all files of its bundle, read; what a run that failed early could not write is empty. */
import { bundleFiles } from "../bundle/layout.ts";
import type { Manifest } from "../bundle/manifest.ts";
import type { Bundle } from "../bundle/open-bundle.ts";
import type { LinksRecord, ResultsRecord } from "../bundle/records.ts";
import { readSeries } from "../metrics/series.ts";
import type { AnySeries, Series } from "../metrics/series.ts";
import type { MetricSample } from "../metrics/metric-sample.ts";
import type { TimelineEvent } from "../metrics/timeline-event.ts";
import type { Plan, PlannedApplication, PlannedWorkload } from "../plan/plan.ts";
import { wireAnalysisSchema } from "../verdict/capture-analysis/wire-analysis.ts";
import type { WireAnalysis, WireConnection } from "../verdict/capture-analysis/wire-analysis.ts";
import { viewings } from "../verdict/measure-application.ts";
import { applicationEvidence, measureWorkload, receivingSide } from "../verdict/measure-workload.ts";
import type { WorkloadMeasurements } from "../verdict/measure-workload.ts";
import { witnessesOf } from "../verdict/judge.ts";
import type { Evidence } from "../verdict/judge.ts";
import { verdictSchema } from "../verdict/verdict-schema.ts";
import type { Verdict } from "../verdict/verdict.ts";

export interface RunView {
  /** Undefined for the experiment itself. */
  readonly baseline: string | undefined;
  /** The experiment's, in its author's words. */
  readonly description: string | undefined;
  readonly manifest: Manifest;
  readonly plan: Plan;
  readonly results: ResultsRecord;
  readonly links: LinksRecord;
  readonly wire: WireAnalysis | undefined;
  readonly verdict: Verdict | undefined;
  /** In the order of their times. */
  readonly events: readonly TimelineEvent[];
  readonly series: readonly AnySeries[];
  /** Until the last thing that was observed, since the run's zero. */
  readonly durationMicroseconds: number;
}

export async function readRun(bundle: Bundle): Promise<RunView> {
  const has = (name: string): Promise<boolean> => bundle.has(name);
  const wire = (await has(bundleFiles.wire)) ? await bundle.json(bundleFiles.wire, wireAnalysisSchema) : undefined;
  const events = (await has(bundleFiles.events)) ? await collect(bundle.events()) : [];
  const samples = (await has(bundleFiles.metrics)) ? await collect(bundle.metrics()) : [];
  return {
    baseline: bundle.manifest.baseline,
    // A baseline's file has the experiment's.
    description:
      bundle.manifest.baseline === undefined && (await has(bundleFiles.experiment))
        ? await bundle.description()
        : undefined,
    manifest: bundle.manifest,
    plan: await bundle.plan(),
    results: (await has(bundleFiles.results)) ? await bundle.results() : { workloads: [] },
    links: (await has(bundleFiles.links)) ? await bundle.links() : { measurements: [] },
    wire,
    verdict: (await has(bundleFiles.verdict)) ? await bundle.json(bundleFiles.verdict, verdictSchema) : undefined,
    events: events.toSorted((one, other) => one.time - other.time),
    series: readSeries(samples),
    durationMicroseconds: durationOf(wire, samples, bundle.manifest.run),
  };
}

async function collect<T>(records: AsyncIterable<T>): Promise<T[]> {
  const collected: T[] = [];
  for await (const record of records) collected.push(record);
  return collected;
}

/** The last sample or byte; where all came to its end, idle time of sampling after the last byte is cut off. */
function durationOf(
  wire: WireAnalysis | undefined,
  samples: readonly MetricSample[],
  { ended }: Manifest["run"],
): number {
  const lastBytes = (wire?.connections ?? []).flatMap(({ toServer, toClient }) => [
    toServer.lastAt ?? 0,
    toClient.lastAt ?? 0,
  ]);
  const lastByte = lastBytes.reduce((one, other) => Math.max(one, other), 0);
  const lastSample = samples.reduce((last, { time }) => Math.max(last, time), 0);
  return lastByte > 0 && ended === "completed"
    ? Math.min(Math.max(lastSample, lastByte), lastByte + 1e6)
    : Math.max(lastSample, lastByte, 1e6);
}

export function seriesOf<Kind extends MetricSample["kind"]>(run: RunView, kind: Kind): Series<Kind>[] {
  return run.series.filter((series) => series.kind === kind) as unknown as Series<Kind>[];
}

export function connectionsOf(run: RunView, workload: PlannedWorkload): readonly WireConnection[] {
  return (run.wire?.connections ?? []).filter((connection) => connection.workload === workload.name);
}

/** A link's counters are totals since it came up, its measurement before the run included: the same without what was before the run's zero. */
export function countedInRun(
  { times, columns }: Series<"link">,
  column: "bytes" | "dropsQueue" | "dropsLoss" | "dropsBlackhole",
): readonly number[] {
  const totals = columns[column];
  const before =
    totals[
      Math.max(
        0,
        times.findLastIndex((time) => time <= 0),
      )
    ] ?? 0;
  return totals.map((total) => Math.max(0, total - before));
}

/** The host that sends the bytes that count. */
export function sendingHost(workload: PlannedWorkload): string {
  return receivingSide(workload) === "client" ? workload.server : workload.client;
}

/** The judge's own figures. */
export function measurementsOf(run: RunView, workload: PlannedWorkload): WorkloadMeasurements {
  return measureWorkload(witnessesOf(evidenceOf(run), workload));
}

/** What a viewer of an application that plays saw. */
export function viewingsOf(run: RunView, workload: PlannedApplication): ReturnType<typeof viewings> {
  const evidence = applicationEvidence(witnessesOf(evidenceOf(run), workload));
  return evidence === undefined ? {} : viewings(evidence);
}

function evidenceOf({ plan, manifest, results, links, wire, durationMicroseconds }: RunView): Evidence {
  return {
    plan,
    ended: manifest.run.ended,
    endedAtMicroseconds: durationMicroseconds,
    results,
    links,
    counters: {},
    ...(wire === undefined ? {} : { wire }),
  };
}

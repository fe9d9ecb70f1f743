/** Charts of one workload: what each path carried, what the application got, its playback buffer, its latencies. */
import type { PlannedWorkload } from "../plan/plan.ts";
import { deliveredDirection, deliveredStream } from "../verdict/measure-workload.ts";
import { scaleToUsual } from "./chart-scale.ts";
import { compact } from "./chart-spec.ts";
import type { ChartSeries, ChartSpan, ChartSpec } from "./chart-spec.ts";
import { faultSpans } from "./fault-spans.ts";
import { neutralColour } from "./palette.ts";
import type { Palette } from "./palette.ts";
import { connectionsOf, seriesOf } from "./run-view.ts";
import type { RunView } from "./run-view.ts";
import { extremesOnGrid, gridTimes, ratesOnGrid, timeGrid } from "./time-grid.ts";
import type { TimeGrid } from "./time-grid.ts";
import { printTime } from "../verdict/quantity.ts";
import { viewingChart } from "./viewing-charts.ts";

const megabits = (bytesPerSecond: number): number => compact((bytesPerSecond * 8) / 1e6);

export function workloadCharts(run: RunView, workload: PlannedWorkload, palette: Palette): ChartSpec[] {
  return [
    latencyChart(run, workload, palette),
    throughputChart(run, workload, palette),
    goodputChart(run, workload, palette),
    playbackChart(run, workload, palette),
    viewingChart(run, workload, palette),
  ].filter((chart) => chart !== undefined);
}

/** Slices that are shorter than what a source sends at a time show its beat instead of its rate. */
function leastWidth(workload: PlannedWorkload): number {
  switch (workload.kind) {
    case "bulk":
      return 100_000;
    case "stream":
      return Math.max(100_000, workload.segmentMicroseconds);
    case "request-response":
      return Math.max(100_000, 5 * workload.intervalMicroseconds);
    case "application":
      return workload.playback === undefined ? 100_000 : 500_000;
  }
}

function throughputChart(run: RunView, workload: PlannedWorkload, palette: Palette): ChartSpec | undefined {
  const { wire } = run;
  const subflows = connectionsOf(run, workload).flatMap((connection) => connection.subflows);
  if (wire === undefined || subflows.length === 0) return undefined;
  const grid = timeGrid(run.durationMicroseconds, leastWidth(workload));
  const byPath = Map.groupBy(subflows, ({ path }) => path);
  const series = [...byPath].map(([path, those]): ChartSeries => {
    const rates = those.map((subflow) =>
      ratesOnGrid(deliveredDirection(workload, subflow).arrivals, wire.binMicroseconds, grid),
    );
    const values = rates.reduce((sum, next) => sum.map((value, slice) => value + next[slice]!)).map(megabits);
    return { label: path, colour: palette.path(path) ?? neutralColour, dashed: false, values };
  });
  return {
    id: `throughput-${workload.name}`,
    title: `Throughput per path: ${workload.name}`,
    note: `Payload that arrived at the receiver's interfaces, from the capture; means over ${printTime(grid.widthMicroseconds)}.`,
    unit: "Mbit/s",
    kind: "stacked",
    times: gridTimes(grid),
    series: series.toSorted((one, other) => one.colour.localeCompare(other.colour)),
    spans: faultSpans(run, palette),
  };
}

function goodputChart(run: RunView, workload: PlannedWorkload, palette: Palette): ChartSpec | undefined {
  const samples = seriesOf(run, "workload").find(({ first }) => first.workload === workload.name);
  if (samples === undefined) return undefined;
  const grid = timeGrid(run.durationMicroseconds, Math.max(leastWidth(workload), run.plan.metricsIntervalMicroseconds));
  const values = binnedBytes(samples.times, samples.columns.bytes, grid).map(megabits);
  return scaleToUsual({
    id: `goodput-${workload.name}`,
    title: `Goodput at the application: ${workload.name}`,
    note: `Bytes that the receiving application read; means over ${printTime(grid.widthMicroseconds)}.`,
    unit: "Mbit/s",
    kind: "steps",
    times: gridTimes(grid),
    series: [{ label: "goodput", colour: "--run-0", dashed: false, values }],
    spans: [...faultSpans(run, palette), ...stallSpans(run, workload)],
  });
}

/** A sample tells the bytes since the one before it: they belong to the time before it. */
function binnedBytes(times: readonly number[], bytes: readonly number[], grid: TimeGrid): number[] {
  const sums = Array.from({ length: grid.slices }, () => 0);
  times.forEach((time, index) => {
    const slice = Math.min(grid.slices - 1, Math.max(0, Math.ceil(time / grid.widthMicroseconds) - 1));
    sums[slice] = sums[slice]! + (bytes[index]! * 1e6) / grid.widthMicroseconds;
  });
  return sums;
}

function playbackChart(run: RunView, workload: PlannedWorkload, palette: Palette): ChartSpec | undefined {
  if (workload.kind !== "stream") return undefined;
  const samples = seriesOf(run, "workload").find(({ first }) => first.workload === workload.name);
  if (samples === undefined) return undefined;
  const grid = timeGrid(run.durationMicroseconds, run.plan.metricsIntervalMicroseconds);
  const seconds = samples.columns.playbackBufferMicroseconds.map((microseconds) => compact(microseconds / 1e6));
  return {
    id: `playback-${workload.name}`,
    title: `Playback buffer: ${workload.name}`,
    note: `Media waiting to be played, the least in each ${printTime(grid.widthMicroseconds)}. Playback starts at ${printTime(workload.playbackBufferMicroseconds)}; at 0 it stalls.`,
    unit: "s",
    kind: "lines",
    times: gridTimes(grid),
    series: [
      {
        label: "buffer",
        colour: "--run-0",
        dashed: false,
        values: extremesOnGrid(samples.times, seconds, grid, Math.min),
      },
    ],
    spans: [...faultSpans(run, palette), ...stallSpans(run, workload)],
  };
}

function stallSpans(run: RunView, workload: PlannedWorkload): ChartSpan[] {
  const outcome = run.results.workloads.find((candidate) => candidate.workload === workload.name);
  return [outcome?.client, outcome?.server].flatMap((result) =>
    result?.kind !== "receiver"
      ? []
      : (result.playback?.stalls ?? []).map(({ at, microseconds }) => ({
          from: at / 1e6,
          to: (at + microseconds) / 1e6,
          label: "stalled",
          colour: "--failed",
        })),
  );
}

/** Requests are due at the connection's begin and then at each interval. */
function latencyChart(run: RunView, workload: PlannedWorkload, palette: Palette): ChartSpec | undefined {
  const result = run.results.workloads.find((outcome) => outcome.workload === workload.name)?.client;
  if (workload.kind !== "request-response" || result?.kind !== "requester") return undefined;
  return {
    id: `latency-${workload.name}`,
    title: `Request latency: ${workload.name}`,
    note: "From when a request was due to the last byte of its response, each request a point.",
    unit: "ms",
    kind: "points",
    times: result.latenciesMicroseconds.map(
      (_, index) => (result.connectedAt + index * workload.intervalMicroseconds) / 1e6,
    ),
    series: [
      {
        label: "latency",
        colour: "--run-0",
        dashed: false,
        values: result.latenciesMicroseconds.map((latency) => compact(latency / 1e3)),
      },
    ],
    spans: faultSpans(run, palette),
  };
}

/** The goodput of an experiment and its baselines in one chart, from the wire where there is one. */
export function comparisonChart(
  runs: readonly RunView[],
  workload: PlannedWorkload,
  palette: Palette,
): ChartSpec | undefined {
  const grid = timeGrid(
    Math.max(...runs.map(({ durationMicroseconds }) => durationMicroseconds)),
    2 * leastWidth(workload),
  );
  const series = runs.flatMap((run, index): ChartSeries[] => {
    const planned = run.plan.workloads.find(({ name }) => name === workload.name);
    const { wire } = run;
    if (planned === undefined || wire === undefined) return [];
    const streams = connectionsOf(run, planned).map((connection) => deliveredStream(planned, connection));
    if (streams.length === 0) return [];
    const ended = Math.max(...streams.map(({ lastAt }) => lastAt ?? 0)) / grid.widthMicroseconds;
    const rates = streams
      .map(({ progress }) => ratesOnGrid(progress, wire.binMicroseconds, grid))
      .reduce((sum, next) => sum.map((rate, slice) => rate + next[slice]!));
    const values = rates.map((rate, slice) => (slice + 1 > ended ? null : megabits(rate)));
    return [{ label: run.baseline ?? "this experiment", colour: palette.run(index), dashed: index > 0, values }];
  });
  if (series.length < 2) return undefined;
  return scaleToUsual({
    id: `comparison-${workload.name}`,
    title: `Goodput beside the baselines: ${workload.name}`,
    note: `Payload in order at the receiver's interfaces, from the captures; means over ${printTime(grid.widthMicroseconds)}. A line ends with the last whole slice of its transfer.`,
    unit: "Mbit/s",
    kind: "steps",
    times: gridTimes(grid),
    series,
    spans: runs[0] === undefined ? [] : faultSpans(runs[0], palette),
  });
}

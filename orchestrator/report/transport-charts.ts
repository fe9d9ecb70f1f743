/** Charts of the senders' subflows and of the links: windows, round-trip times, queues, drops. */
import type { Series } from "../metrics/series.ts";
import { printTime } from "../verdict/quantity.ts";
import { compact } from "./chart-spec.ts";
import type { ChartSeries, ChartSpec } from "./chart-spec.ts";
import { faultSpans } from "./fault-spans.ts";
import { neutralColour } from "./palette.ts";
import type { Palette } from "./palette.ts";
import { countedInRun, sendingHost, seriesOf } from "./run-view.ts";
import type { RunView } from "./run-view.ts";
import { extremesOnGrid, gridTimes, timeGrid } from "./time-grid.ts";

export function transportCharts(run: RunView, palette: Palette): ChartSpec[] {
  const senders = new Set(run.plan.workloads.map(sendingHost));
  const subflows = seriesOf(run, "subflow").filter(({ first }) => senders.has(first.host));
  if (subflows.length === 0) return [];
  const grid = timeGrid(run.durationMicroseconds, run.plan.metricsIntervalMicroseconds);
  const shared = { kind: "lines", times: gridTimes(grid), spans: faultSpans(run, palette) } as const;
  const onGrid = (series: Series<"subflow">, values: readonly number[]) =>
    extremesOnGrid(series.times, values, grid, Math.max);
  const windows = subflows.flatMap((series): ChartSeries[] => {
    const label = subflowLabel(series, subflows);
    const colour = palette.path(series.first.path) ?? neutralColour;
    const window = onGrid(
      series,
      series.columns.congestionWindowBytes.map((bytes) => compact(bytes / 1e3)),
    );
    const threshold = onGrid(
      series,
      series.columns.slowStartThresholdBytes.map((bytes) => compact(bytes / 1e3)),
    );
    return [
      { label: `${label} window`, colour, dashed: false, values: window },
      ...(threshold.every((value) => value === null)
        ? []
        : [{ label: `${label} threshold`, colour, dashed: true, values: threshold }]),
    ];
  });
  const roundTrips = subflows.map((series): ChartSeries => {
    const values = onGrid(
      series,
      series.columns.smoothedRttMicroseconds.map((microseconds) => compact(microseconds / 1e3)),
    );
    return {
      label: subflowLabel(series, subflows),
      colour: palette.path(series.first.path) ?? neutralColour,
      dashed: false,
      values,
    };
  });
  const note = `Of the sender's subflows, the largest in each ${printTime(grid.widthMicroseconds)}.`;
  return [
    { ...shared, id: "window", title: "Congestion window and slow-start threshold", note, unit: "kB", series: windows },
    { ...shared, id: "round-trip", title: "Smoothed round-trip time", note, unit: "ms", series: roundTrips },
  ];
}

/** The path, and the port where several subflows share it. */
function subflowLabel({ first }: Series<"subflow">, all: readonly Series<"subflow">[]): string {
  const isAlone = all.filter((other) => other.first.path === first.path).length === 1;
  return isAlone ? first.path : `${first.path} (${first.host} ${first.connection} ${first.subflow})`;
}

export function linkCharts(run: RunView, palette: Palette): ChartSpec[] {
  const links = seriesOf(run, "link").filter(({ columns }) => columns.bytes.some((bytes) => bytes > 0));
  if (links.length === 0) return [];
  const grid = timeGrid(run.durationMicroseconds, run.plan.metricsIntervalMicroseconds);
  const shared = { times: gridTimes(grid), spans: faultSpans(run, palette) } as const;
  const colourOf = ({ first }: Series<"link">): string => palette.path(first.link) ?? neutralColour;
  const queues = links.map((series): ChartSeries => {
    const kilobytes = series.columns.queueBytes.map((bytes) => compact(bytes / 1e3));
    const values = extremesOnGrid(series.times, kilobytes, grid, Math.max);
    return { label: linkLabel(series), colour: colourOf(series), dashed: series.first.direction === "forward", values };
  });
  const drops = links
    .map((series): ChartSeries => {
      const [byQueue, byLoss, byDeath] = (["dropsQueue", "dropsLoss", "dropsBlackhole"] as const).map((cause) =>
        countedInRun(series, cause),
      );
      const totals = byQueue!.map((dropped, index) => dropped + byLoss![index]! + byDeath![index]!);
      const highest = extremesOnGrid(series.times, totals, grid, Math.max);
      return {
        label: linkLabel(series),
        colour: colourOf(series),
        dashed: series.first.direction === "forward",
        values: increases(highest),
      };
    })
    .filter(({ values }) => values.some((value) => value !== null && value > 0));
  const width = printTime(grid.widthMicroseconds);
  return [
    {
      ...shared,
      id: "queue",
      kind: "lines",
      title: "Queue before the link",
      note: `The longest in each ${width}.`,
      unit: "kB",
      series: queues,
    },
    ...(drops.length === 0
      ? []
      : [
          {
            ...shared,
            id: "drops",
            kind: "bars",
            title: "Packets dropped by the link",
            note: `By its full queue, by loss and while it was dead, in each ${width}.`,
            unit: "packets",
            series: drops,
          } as const,
        ]),
  ];
}

function linkLabel({ first }: Series<"link">): string {
  return `${first.link} ${first.direction === "forward" ? "up" : "down"}`;
}

/** Of a total: what came since the slice before. */
function increases(totals: readonly (number | null)[]): (number | null)[] {
  let before = 0;
  return totals.map((total) => {
    if (total === null) return null;
    const increase = total - before;
    before = total;
    return increase > 0 ? increase : null;
  });
}

/** Charts of what the viewers of foreign players waited for. */
import type { PlannedWorkload } from "../plan/plan.ts";
import { printTime } from "../verdict/quantity.ts";
import type { Viewing } from "../verdict/video-playback.ts";
import { compact } from "./chart-spec.ts";
import type { ChartSeries, ChartSpec } from "./chart-spec.ts";
import { faultSpans } from "./fault-spans.ts";
import { neutralColour } from "./palette.ts";
import type { Palette } from "./palette.ts";
import { viewingsOf } from "./run-view.ts";
import type { RunView } from "./run-view.ts";
import { extremesOnGrid, gridTimes, timeGrid } from "./time-grid.ts";
import type { TimeGrid } from "./time-grid.ts";

const leastWidthMicroseconds = 100_000;

/** Seconds of media, the least in each slice. */
function levelsOnGrid({ levels }: Viewing, grid: TimeGrid): (number | null)[] {
  const seconds = levels.map(({ microseconds }) => compact(microseconds / 1e6));
  return extremesOnGrid(
    levels.map(({ at }) => at),
    seconds,
    grid,
    Math.min,
  );
}

/** What waited to be seen of a video that a foreign player played, by both witnesses. */
export function viewingChart(run: RunView, workload: PlannedWorkload, palette: Palette): ChartSpec | undefined {
  if (workload.kind !== "application" || workload.playback === undefined) return undefined;
  const { pictures, arrivals } = viewingsOf(run, workload);
  const grid = timeGrid(run.durationMicroseconds, leastWidthMicroseconds);
  const series = [
    { label: "shown by the player", viewing: pictures, dashed: false, colour: "--run-0" },
    { label: "arrived, by the capture", viewing: arrivals, dashed: true, colour: neutralColour },
  ].flatMap(({ viewing, ...look }): ChartSeries[] => {
    if (viewing === undefined) return [];
    return [{ ...look, values: levelsOnGrid(viewing, grid) }];
  });
  if (series.length === 0) return undefined;
  return {
    id: `viewing-${workload.name}`,
    title: `Playback buffer: ${workload.name}`,
    note: `Media that waits for its viewer, the least in each ${printTime(grid.widthMicroseconds)}. The first picture is seen when ${printTime(workload.playback.bufferMicroseconds)} are there; at 0 it stands still.`,
    unit: "s",
    kind: "lines",
    times: gridTimes(grid),
    series,
    spans: [
      ...faultSpans(run, palette),
      ...(pictures ?? arrivals)!.stalls.map(({ at, microseconds }) => ({
        from: at / 1e6,
        to: (at + microseconds) / 1e6,
        label: "stalled",
        colour: "--failed",
      })),
    ],
  };
}

/** What waited for the viewers of an experiment and its baselines, by the pictures that their players showed. */
export function viewingComparisonChart(
  runs: readonly RunView[],
  workload: PlannedWorkload,
  palette: Palette,
): ChartSpec | undefined {
  const grid = timeGrid(
    Math.max(...runs.map(({ durationMicroseconds }) => durationMicroseconds)),
    leastWidthMicroseconds,
  );
  const series = runs.flatMap((run, index): ChartSeries[] => {
    const planned = run.plan.workloads.find(({ name }) => name === workload.name);
    if (planned?.kind !== "application" || planned.playback === undefined) return [];
    const { pictures } = viewingsOf(run, planned);
    if (pictures === undefined) return [];
    const values = levelsOnGrid(pictures, grid);
    return [{ label: run.baseline ?? "this experiment", colour: palette.run(index), dashed: index > 0, values }];
  });
  if (series.length < 2) return undefined;
  return {
    id: `viewing-comparison-${workload.name}`,
    title: `Playback buffer beside the baselines: ${workload.name}`,
    note: `Media that the player has shown and its viewer has not yet seen, the least in each ${printTime(grid.widthMicroseconds)}. At 0 the picture stands still.`,
    unit: "s",
    kind: "lines",
    times: gridTimes(grid),
    series,
    spans: runs[0] === undefined ? [] : faultSpans(runs[0], palette),
  };
}

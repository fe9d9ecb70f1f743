/** A figure of a published result: what the paper found and what runs of ours gave, at the same places. */
import type { LineChart, LineSeries } from "./line-chart.ts";
import { mean, type RunResults } from "./run-results.ts";

export interface Figure {
  readonly title: string;
  readonly xLabel: string;
  readonly yLabel: string;
  readonly places: readonly string[];
  readonly series: readonly FigureSeries[];
}

export type FigureSeries =
  | (Pick<LineSeries, "label" | "colour"> & {
      readonly style: "published" | "bound";
      readonly values: readonly (number | undefined)[];
    })
  | (Pick<LineSeries, "label" | "colour"> & {
      readonly style: "measured";
      /** Of each place the baseline that ran there; "" is the experiment itself, undefined: nothing ran there. */
      readonly runs: readonly (string | undefined)[];
      readonly value: (results: RunResults) => number | undefined;
    });

/** @param resultsOf of each bundle the results of that baseline; over several bundles, values are means. */
export function chartOf(figure: Figure, resultsOf: (baseline: string) => readonly RunResults[]): LineChart {
  const series = figure.series.map((one): LineSeries => {
    if (one.style !== "measured") return one;
    const { label, style, colour, runs, value } = one;
    const values = runs.map((run) => {
      if (run === undefined) return undefined;
      const found = resultsOf(run).flatMap((results) => value(results) ?? []);
      return found.length === 0 ? undefined : mean(found);
    });
    return { label, style, colour, values };
  });
  return { ...figure, series };
}

const cell = (value: number | undefined): string => (value === undefined ? "" : String(Number(value.toPrecision(3))));

/** The same as a table in Markdown. */
export function tableOf({ xLabel, places, series }: LineChart): string {
  return [
    `| ${xLabel} | ${series.map(({ label }) => label).join(" | ")} |`,
    `|---|${series.map(() => "--:|").join("")}`,
    ...places.map((place, index) => `| ${place} | ${series.map(({ values }) => cell(values[index])).join(" | ")} |`),
    "",
  ].join("\n");
}

import { fileURLToPath } from "node:url";
import { expect } from "chai";
import { formatDiagnostics } from "../../model/diagnostics.ts";
import { loadExperiment } from "../../model/load.ts";
import { chartOf, type Figure, tableOf } from "./figure.ts";
import { figures } from "./figures.ts";
import { drawLineChart } from "./line-chart.ts";
import type { RunResults } from "./run-results.ts";

const figure: Figure = {
  title: "Goodput & more",
  xLabel: "subflows",
  yLabel: "Mbit/s",
  places: ["1", "2", "3"],
  series: [
    { label: "published", style: "published", colour: 0, values: [1, undefined, 3] },
    {
      label: "ours",
      style: "measured",
      colour: 0,
      runs: ["", "two", undefined],
      value: (run) => run.goodput("upload"),
    },
  ],
};
const runWith = (goodput: number | undefined): RunResults => ({ goodput: () => goodput }) as unknown as RunResults;

describe("a figure of a published result", () => {
  it("has the means over bundles, and nothing where nothing ran or no transfer ended", () => {
    const chart = chartOf(figure, (baseline) =>
      baseline === "" ? [runWith(4), runWith(5), runWith(undefined)] : [runWith(undefined)],
    );
    expect(chart.series.map(({ values }) => values)).to.deep.equal([
      [1, undefined, 3],
      [4.5, undefined, undefined],
    ]);
    expect(tableOf(chart).split("\n").slice(2)).to.deep.equal(["| 1 | 1 | 4.5 |", "| 2 |  |  |", "| 3 | 3 |  |", ""]);
  });

  it("is drawn with a mark at each value, and its text is escaped", () => {
    const chart = chartOf(figure, () => [runWith(4)]);
    const drawing = drawLineChart(chart);
    const inLegend = 2;
    expect(drawing.match(/<circle/g)).to.have.length(4 + inLegend);
    expect(drawing).to.include("Goodput &amp; more").and.not.to.include("NaN");
  });

  for (const [name, { series, places }] of Object.entries(figures)) {
    it(`of ${name} names baselines that its experiment has, one at each place`, () => {
      const file = fileURLToPath(new URL(`../../../experiments/papers/${name}.yaml`, import.meta.url));
      const loaded = loadExperiment(file);
      if (!loaded.ok) throw new Error(formatDiagnostics(loaded.diagnostics));
      const baselines = ["", ...Object.keys(loaded.value.experiment.baselines)];
      for (const one of series) {
        const each = one.style === "measured" ? one.runs : one.values;
        expect(each, one.label).to.have.length(places.length);
        if (one.style === "measured") expect(baselines).to.include.members(one.runs.filter((run) => run !== undefined));
      }
    });
  }
});

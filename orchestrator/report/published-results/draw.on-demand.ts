/**
 * Draws the figure of a published result from bundles of its experiment: `node orchestrator/report/published-results/draw.on-demand.ts BUNDLE…`. Several bundles are one figure of their means.
 * Writes docs/papers/EXPERIMENT.svg and prints the same values as a table.
 */
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { chartOf, tableOf } from "./figure.ts";
import { figures } from "./figures.ts";
import { drawLineChart } from "./line-chart.ts";
import { RunResults } from "./run-results.ts";

const bundles = process.argv.slice(2);
const names = new Set(
  bundles.map(
    (bundle) => (JSON.parse(readFileSync(join(bundle, "plan.json"), "utf8")) as { experiment: string }).experiment,
  ),
);
const [name] = names;
if (name === undefined || names.size !== 1) throw new Error("usage: draw.on-demand.ts BUNDLE…, all of one experiment");
const figure = figures[name];
if (figure === undefined) throw new Error(`no figure for ${name}; there are ${Object.keys(figures).join(", ")}`);
const chart = chartOf(figure, (baseline) =>
  bundles.map((bundle) => new RunResults(bundle, baseline === "" ? undefined : baseline)),
);
writeFileSync(fileURLToPath(new URL(`../../../docs/papers/${name}.svg`, import.meta.url)), drawLineChart(chart));
process.stdout.write(tableOf(chart));

/// <reference lib="dom" />
/** Draws the charts of the page from the data that it carries. */
import type { ChartSpec } from "../chart-spec.ts";
import { TimeChart } from "./time-chart.ts";
import { setUpTimeline } from "./timeline.ts";

interface PageData {
  readonly charts: readonly ChartSpec[];
  readonly durationSeconds: number;
}

const data = JSON.parse(document.getElementById("data")!.textContent) as PageData;
const charts = data.charts.map((spec) => {
  const longest = Math.max(data.durationSeconds, spec.times.at(-1) ?? 0);
  return new TimeChart(
    document.querySelector<HTMLElement>(`figure[data-chart="${CSS.escape(spec.id)}"]`)!,
    spec,
    longest,
  );
});
const timeline = document.getElementById("timeline");
if (timeline !== null) setUpTimeline(timeline);

const redraw = (): void => {
  for (const chart of charts) chart.draw();
};
for (const query of ["(prefers-color-scheme: dark)", "print"]) matchMedia(query).addEventListener("change", redraw);
let width = document.documentElement.clientWidth;
addEventListener("resize", () => {
  if (document.documentElement.clientWidth === width) return;
  width = document.documentElement.clientWidth;
  redraw();
});

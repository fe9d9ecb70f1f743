/** `report.html`: a run on one page that needs nothing else, no network either; the same bundle gives the same page, byte for byte. */
import { bundleFiles } from "../bundle/layout.ts";
import type { Bundle } from "../bundle/open-bundle.ts";
import type { Plan } from "../plan/plan.ts";
import type { ChartSpec } from "./chart-spec.ts";
import { html, trusted } from "./html.ts";
import { pageScript } from "./page-assets.ts";
import { pageHead } from "./page-head.ts";
import { Palette } from "./palette.ts";
import { renderRepetitionsPage } from "./repetitions-page.ts";
import { readRun } from "./run-view.ts";
import { chartsSection } from "./sections/charts-section.ts";
import { comparisonSection } from "./sections/comparison-section.ts";
import { headerSection } from "./sections/header-section.ts";
import { linksSection } from "./sections/links-section.ts";
import { provenanceSection } from "./sections/provenance-section.ts";
import { subflowsSection } from "./sections/subflows-section.ts";
import { timelineSection } from "./sections/timeline-section.ts";
import { verdictSection } from "./sections/verdict-section.ts";
import { linkCharts, transportCharts } from "./transport-charts.ts";
import { viewingComparisonChart } from "./viewing-charts.ts";
import { comparisonChart, workloadCharts } from "./workload-charts.ts";

/** Files of the bundle with the decisions of each host that was asked for them. */
function tracesOf({ nodes }: Plan): string[] {
  return nodes
    .filter(({ endpoint }) => endpoint?.options?.trace !== undefined)
    .map(({ name }) => `${bundleFiles.qlog}/${name}.sqlog`);
}

/** The page's text. Throws `BundleError` where a file is damaged or the plan is missing. */
export async function renderPage(bundle: Bundle): Promise<string> {
  if (bundle.manifest.repetitions !== undefined) return renderRepetitionsPage(bundle, bundle.manifest.repetitions);
  const run = await readRun(bundle);
  const baselines = await Promise.all((await bundle.baselines()).map(readRun));
  const runs = [run, ...baselines];
  const palette = new Palette(runs);
  const workload = run.plan.workloads.flatMap((planned) => workloadCharts(run, planned, palette));
  const comparison = run.plan.workloads
    .flatMap((planned) => [viewingComparisonChart(runs, planned, palette), comparisonChart(runs, planned, palette)])
    .filter((chart) => chart !== undefined);
  const transport = transportCharts(run, palette);
  const links = linkCharts(run, palette);
  const sections = [
    verdictSection(run.verdict),
    comparisonSection(runs, comparison, palette),
    chartsSection("workloads", "What the application saw", workload),
    subflowsSection(run, palette),
    chartsSection("transport", "What the sender did", transport),
    chartsSection("queues", "What the links did", links),
    timelineSection(run.events, tracesOf(run.plan)),
    linksSection(run, palette),
    provenanceSection(run.manifest),
  ];
  const charts: ChartSpec[] = [...comparison, ...workload, ...transport, ...links];
  const data = { charts, durationSeconds: run.durationMicroseconds / 1e6 };
  const title = `${run.plan.experiment}${run.baseline === undefined ? "" : `, ${run.baseline}`}: ${run.verdict?.outcome ?? run.manifest.outcome}`;
  return html`<!doctype html>
    <html lang="en">
      ${await pageHead(title)}
      <body>
        <main>${headerSection(run, baselines)}${sections.filter((section) => section !== undefined)}</main>
        <script type="application/json" id="data">
          ${trusted(JSON.stringify(data).replaceAll("<", "\\u003c"))}
        </script>
        <script>
          ${trusted(await pageScript())};
        </script>
      </body>
    </html> `.text;
}

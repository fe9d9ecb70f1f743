/** The page of all repetitions of an experiment: one verdict, and a row of each run. */
import type { Bundle } from "../bundle/open-bundle.ts";
import { bundleFiles } from "../bundle/layout.ts";
import type { Manifest } from "../bundle/manifest.ts";
import { printMetric } from "../verdict/print-metric.ts";
import { printCount } from "../verdict/quantity.ts";
import { verdictSchema } from "../verdict/verdict-schema.ts";
import type { Verdict } from "../verdict/verdict.ts";
import { html } from "./html.ts";
import type { Html } from "./html.ts";
import { pageHead } from "./page-head.ts";
import { outcomeNames } from "./sections/header-section.ts";
import { provenanceSection } from "./sections/provenance-section.ts";
import { metricName, verdictSection } from "./sections/verdict-section.ts";

type Repetitions = NonNullable<Manifest["repetitions"]>;

/** Throws `BundleError` where the verdict cannot be read. */
export async function renderRepetitionsPage(bundle: Bundle, repetitions: Repetitions): Promise<string> {
  const { manifest } = bundle;
  const verdict = await bundle.json(bundleFiles.verdict, verdictSchema);
  const count = printCount(repetitions.length, "repetition");
  return html`<!doctype html>
    <html lang="en">
      ${await pageHead(`${manifest.experiment}, ${count}: ${verdict.outcome}`)}
      <body>
        <main>
          <header>
            <p class="brand">pathlab<span> · result of ${count}</span></p>
            <div class="headline">
              <h1>${manifest.experiment}</h1>
              <span class="outcome ${verdict.outcome}">${outcomeNames[verdict.outcome]}</span>
            </div>
            <p class="summary">${summarise(verdict, repetitions)}</p>
          </header>
          ${verdictSection(verdict)} ${runsSection(verdict, repetitions)} ${provenanceSection(manifest)}
        </main>
      </body>
    </html> `.text;
}

function summarise({ expectations }: Verdict, repetitions: Repetitions): string {
  const passed = repetitions.filter(({ outcome }) => outcome === "passed").length;
  const kept = expectations.filter((judged) => judged.passed).length;
  return `${passed} of ${printCount(repetitions.length, "run")} passed by what is expected of each; ${kept} of ${printCount(expectations.length, "expectation")} hold over all.`;
}

/** A row of each run, with its value of each figure that is judged over all. */
function runsSection({ expectations }: Verdict, repetitions: Repetitions): Html {
  const figures = expectations.filter(({ repetitions: judged }) => judged?.samples.length === repetitions.length);
  return html`<section id="runs">
    <h2>Runs</h2>
    <div class="scroll">
      <table>
        <thead>
          <tr>
            <th>Seed</th>
            <th>Outcome</th>
            ${figures.map(
              ({ baseline, workload, metric }) =>
                html`<th>
                  ${metricName(metric)}<small> of ${workload}${baseline === undefined ? "" : ` in ${baseline}`}</small>
                </th>`,
            )}
            <th>Bundle</th>
          </tr>
        </thead>
        <tbody>
          ${repetitions.map(
            ({ seed, bundle, outcome }, run) =>
              html`<tr>
                <td class="figure">${seed}</td>
                <td>${outcome}</td>
                ${figures.map(
                  ({ metric, repetitions: judged }) =>
                    html`<td class="figure">${printMetric(metric, judged!.samples[run]!)}</td>`,
                )}
                <td><code>${bundle}</code></td>
              </tr>`,
          )}
        </tbody>
      </table>
    </div>
  </section>`;
}

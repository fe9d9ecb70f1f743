import { html } from "../html.ts";
import type { Html } from "../html.ts";
import type { JudgedExpectation, Verdict } from "../../verdict/verdict.ts";

const metricNames: Readonly<Record<string, string>> = {
  goodput: "Goodput",
  subflows: "Subflows with data",
  longestGap: "Longest gap",
  stalls: "Stalls",
  intact: "Intact",
  fallback: "Fallback",
  completion: "Completion",
  exitCode: "Exit code",
  bytes: "Payload",
  frames: "Frames",
  "latency.p50": "Latency, median",
  "latency.p99": "Latency, 99th percentile",
  "latency.deviation": "Latency, standard deviation",
};

/** What was expected, what was measured, by whose word. */
export function verdictSection(verdict: Verdict | undefined): Html | undefined {
  if (verdict === undefined) return undefined;
  const { expectations, invalidBecause, findings } = verdict;
  return html`<section id="verdict">
    <h2>Verdict</h2>
    ${
      invalidBecause.length === 0
        ? ""
        : html`<div class="callout invalid">
            <strong>The bench was off, so nothing can be said.</strong>
            <ul>
              ${invalidBecause.map((why) => html`<li>${why}</li>`)}
            </ul>
          </div>`
    }
    ${expectations.length === 0 ? html`<p class="note">Nothing was expected.</p>` : expectationsTable(expectations, invalidBecause.length > 0)}
    ${
      findings.length === 0
        ? ""
        : html`<div class="callout">
            <strong>Worth knowing</strong>
            <ul>
              ${findings.map((finding) => html`<li>${finding}</li>`)}
            </ul>
          </div>`
    }
  </section>`;
}

/** `unusable`: what was measured is shown, but not as if it counted. */
function expectationsTable(expectations: readonly JudgedExpectation[], unusable: boolean): Html {
  return html`<div class="scroll">
    <table class="${unusable ? "unusable" : "expectations"}">
      <thead>
        <tr>
          <th></th>
          <th>Workload</th>
          <th>Metric</th>
          <th>Expected</th>
          <th>Measured</th>
          <th>Witness</th>
        </tr>
      </thead>
      <tbody>
        ${expectations.map(
          ({ baseline, workload, metric, expected, measured, passed, witness }) =>
            html`<tr class="${passed ? "passed" : "failed"}">
              <td class="mark">
                <span class="tick ${passed ? "passed" : "failed"}">${passed ? "✓" : "✗"}</span
                ><span class="hidden">${passed ? "passed" : "failed"}</span>
              </td>
              <td>${workload}${baseline === undefined ? "" : html`<small> in ${baseline}</small>`}</td>
              <td>${metricNames[metric] ?? metric}</td>
              <td class="figure">${expected}</td>
              <td class="figure measured">${measured}</td>
              <td class="quiet">${witness}</td>
            </tr>`,
        )}
      </tbody>
    </table>
  </div>`;
}

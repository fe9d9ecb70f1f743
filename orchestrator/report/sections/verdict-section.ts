import { html } from "../html.ts";
import type { Html } from "../html.ts";
import type { JudgedExpectation, RepetitionSample, Verdict } from "../../verdict/verdict.ts";

const metricNames: Readonly<Record<string, string>> = {
  goodput: "Goodput",
  meanGoodput: "Mean goodput",
  leastGoodput: "Least goodput",
  fairness: "Fairness (Jain)",
  "flowCompletion.p50": "Completion of a flow, median",
  "flowCompletion.p99": "Completion of a flow, 99th percentile",
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

export const metricName = (metric: string): string => metricNames[metric] ?? metric.replace(/^share of /, "Share of ");

/** What was expected, what was measured, by whose word. */
export function verdictSection(verdict: Verdict | undefined): Html | undefined {
  if (verdict === undefined) return undefined;
  const { expectations, overRepetitions = [], invalidBecause, findings } = verdict;
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
    ${
      expectations.length === 0
        ? html`<p class="note">
            ${overRepetitions.length === 0 ? "Nothing was expected." : "Nothing was expected of this run alone."}
          </p>`
        : expectationsTable(expectations, invalidBecause.length > 0)
    }
    ${overRepetitions.length === 0 ? "" : samplesTable(overRepetitions)}
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
          ({ baseline, workload, metric, expected, measured, measuredValue, passed, witness }) =>
            html`<tr class="${passed ? "passed" : "failed"}">
              <td class="mark">
                <span class="tick ${passed ? "passed" : "failed"}">${passed ? "✓" : "✗"}</span
                ><span class="hidden">${passed ? "passed" : "failed"}</span>
              </td>
              <td>${workload}${baseline === undefined ? "" : html`<small> in ${baseline}</small>`}</td>
              <td>${metricName(metric)}</td>
              <td class="figure">${expected}</td>
              <td class="${typeof measuredValue === "number" ? "figure measured" : "measured"}">${measured}</td>
              <td class="quiet">${witness}</td>
            </tr>`,
        )}
      </tbody>
    </table>
  </div>`;
}

/** No run alone passes or fails by these. */
function samplesTable(samples: readonly RepetitionSample[]): Html {
  return html`<p class="note">Not judged here, but over all repetitions:</p>
    <div class="scroll">
      <table>
        <thead>
          <tr>
            <th>Workload</th>
            <th>Metric</th>
            <th>Expected of all</th>
            <th>Measured here</th>
            <th>Witness</th>
          </tr>
        </thead>
        <tbody>
          ${samples.map(
            ({ baseline, workload, metric, statistic, expected, measured, witness }) =>
              html`<tr>
                <td>${workload}${baseline === undefined ? "" : html`<small> in ${baseline}</small>`}</td>
                <td>${metricName(metric)}</td>
                <td class="figure">${statistic} ${expected}</td>
                <td class="figure measured">${measured}</td>
                <td class="quiet">${witness}</td>
              </tr>`,
          )}
        </tbody>
      </table>
    </div>`;
}

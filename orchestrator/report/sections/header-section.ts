import { html } from "../html.ts";
import type { Html } from "../html.ts";
import type { RunView } from "../run-view.ts";
import { printTime } from "../../verdict/quantity.ts";
import { summarise } from "../summary.ts";

export const outcomeNames = {
  passed: "Passed",
  failed: "Failed",
  invalid: "Invalid",
  "not-judged": "Not judged",
} as const;

/** What ran, how it came out, in one sentence. */
export function headerSection(run: RunView, baselines: readonly RunView[]): Html {
  const { manifest, plan } = run;
  const outcome = run.verdict?.outcome ?? manifest.outcome;
  const endpoints = Object.entries(manifest.endpoints).map(([host, kind]) => `${host}: ${kind}`);
  const started = manifest.run.startedAt.slice(0, 19).replace("T", " ");
  const facts: [string, string][] = [
    ["Started", `${started} UTC`],
    ["Observed for", printTime(run.durationMicroseconds)],
    ["Substrate", manifest.substrate],
    ["Endpoints", endpoints.join(", ")],
    ["Seed", String(plan.seed)],
    ["Bundle", manifest.id],
  ];
  return html`<header>
    <p class="brand">pathlab<span> · result of one run</span></p>
    <div class="headline">
      <h1>
        ${plan.experiment}${manifest.baseline === undefined ? "" : html` <small>baseline ${manifest.baseline}</small>`}
      </h1>
      <span class="outcome ${outcome}">${outcomeNames[outcome]}</span>
    </div>
    ${run.description === undefined ? "" : html`<p class="description">${run.description}</p>`}
    <p class="summary">${summarise(run, baselines)}</p>
    ${manifest.run.error === undefined ? "" : html`<p class="callout failed">The run ${manifest.run.ended}: ${manifest.run.error}</p>`}
    <dl class="facts">
      ${facts.map(
        ([name, value]) =>
          html`<div>
            <dt>${name}</dt>
            <dd>${value}</dd>
          </div>`,
      )}
    </dl>
  </header>`;
}

import { html } from "../html.ts";
import type { Html } from "../html.ts";
import type { ChartSpec } from "../chart-spec.ts";

/** Charts of one matter, one below the other so that their time axes meet. */
export function chartsSection(id: string, title: string, charts: readonly ChartSpec[]): Html | undefined {
  return charts.length === 0
    ? undefined
    : html`<section id="${id}">
        <h2>${title}</h2>
        ${charts.map(figure)}
      </section>`;
}

/** The page's script fills in legend and drawing. */
export function figure({ id, title, note, unit }: ChartSpec): Html {
  return html`<figure data-chart="${id}">
    <figcaption>
      <h3>${title} <span class="unit">${unit}</span></h3>
      <div class="legend"></div>
    </figcaption>
    <div class="plot" role="img" aria-label="${title}, in ${unit}. ${note}"></div>
    <p class="note">${note}</p>
  </figure>`;
}

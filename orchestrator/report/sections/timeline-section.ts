import { html } from "../html.ts";
import type { Html } from "../html.ts";
import type { TimelineEvent } from "../../metrics/timeline-event.ts";
import { chooseEvents } from "../timeline-choice.ts";

const sources: readonly TimelineEvent["source"][] = ["fault", "workload", "endpoint", "link", "lab"];

/** Everything that happened, with its reason; the page's script filters it and ties it to the charts. `traces`: files of the bundle with every decision of a host. */
export function timelineSection(events: readonly TimelineEvent[], traces: readonly string[]): Html | undefined {
  if (events.length === 0) return undefined;
  const { shown, thinned } = chooseEvents(events);
  const counts = sources
    .map((source) => [source, shown.filter((event) => event.source === source).length] as const)
    .filter(([, count]) => count > 0);
  const cut =
    thinned.length > 0
      ? html`<p class="note cut">
          ${shown.length} of ${events.length} events are shown: some of ${thinned.join(", ")} are left out, evenly over
          the run. events.ndjson has all of them.
        </p>`
      : undefined;
  const decisions =
    traces.length > 0
      ? html`<p class="note">Each decision, with its inputs, is in ${traces.join(" and ")}.</p>`
      : undefined;
  return html`<section id="timeline">
    <h2>Timeline</h2>
    <div class="filters">
      ${counts.map(([source, count]) => html`<label><input type="checkbox" checked value="${source}" /><span class="source ${source}">${source}</span> ${count}</label>`)}<input
        type="search"
        placeholder="Filter by text"
        aria-label="Filter events by text"
      />
    </div>
    ${cut}
    <div class="events">
      <table>
        <thead>
          <tr>
            <th class="number">Time</th>
            <th>Source</th>
            <th>What happened, and why</th>
          </tr>
        </thead>
        <tbody>
          ${shown.map(eventRow)}
        </tbody>
      </table>
    </div>
    <p class="note">
      Point at an event to see its moment in all charts, click to keep it there; a click into a chart finds the nearest
      event.
    </p>
    ${decisions}
  </section>`;
}

function eventRow({ time, source, subject, name, message, detail, section }: TimelineEvent): Html {
  const inputs = detail === undefined || Object.keys(detail).length === 0 ? undefined : JSON.stringify(detail, null, 1);
  const why =
    inputs === undefined && section === undefined
      ? ""
      : html`<details>
          <summary>${name}${section === undefined ? "" : html` · ${section}`}</summary>
          ${inputs === undefined ? "" : html`<pre>${inputs}</pre>`}
        </details>`;
  return html`<tr data-time="${time / 1e6}" data-source="${source}" tabindex="0">
    <td class="number">${(time / 1e6).toFixed(3)} s</td>
    <td><span class="source ${source}">${source}</span> <span class="quiet">${subject}</span></td>
    <td>${message}${why}</td>
  </tr>`;
}

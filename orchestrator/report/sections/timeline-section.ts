import { html } from "../html.ts";
import type { Html } from "../html.ts";
import type { TimelineEvent } from "../../metrics/timeline-event.ts";

const sources: readonly TimelineEvent["source"][] = ["fault", "workload", "endpoint", "link", "lab"];
const mostRows = 2000;

/** Everything that happened, with its reason; the page's script filters it and ties it to the charts. */
export function timelineSection(events: readonly TimelineEvent[]): Html | undefined {
  if (events.length === 0) return undefined;
  const shown = chooseEvents(events);
  const counts = sources
    .map((source) => [source, shown.filter((event) => event.source === source).length] as const)
    .filter(([, count]) => count > 0);
  const cut =
    shown.length < events.length
      ? ` The page shows ${shown.length} of ${events.length} events; events.ndjson has all of them.`
      : "";
  return html`<section id="timeline">
    <h2>Timeline</h2>
    <div class="filters">
      ${counts.map(([source, count]) => html`<label><input type="checkbox" checked value="${source}" /><span class="source ${source}">${source}</span> ${count}</label>`)}<input
        type="search"
        placeholder="Filter by text"
        aria-label="Filter events by text"
      />
    </div>
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
      event.${cut}
    </p>
  </section>`;
}

/** Endpoints talk most: theirs are cut first. */
function chooseEvents(events: readonly TimelineEvent[]): readonly TimelineEvent[] {
  if (events.length <= mostRows) return events;
  const others = events.filter(({ source }) => source !== "endpoint").length;
  let room = Math.max(0, mostRows - others);
  return events.filter(({ source }) => source !== "endpoint" || room-- > 0);
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

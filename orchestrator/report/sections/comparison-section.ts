import { html } from "../html.ts";
import type { Html } from "../html.ts";
import type { ChartSpec } from "../chart-spec.ts";
import type { PlannedWorkload } from "../../plan/plan.ts";
import { deliveredDirection } from "../../verdict/measure-workload.ts";
import type { WorkloadMeasurements } from "../../verdict/measure-workload.ts";
import { printRate, printTime } from "../../verdict/quantity.ts";
import type { Palette } from "../palette.ts";
import { connectionsOf, measurementsOf } from "../run-view.ts";
import type { RunView } from "../run-view.ts";
import { figure } from "./charts-section.ts";

/** The experiment beside its baselines. */
export function comparisonSection(
  runs: readonly RunView[],
  charts: readonly ChartSpec[],
  palette: Palette,
): Html | undefined {
  const [main] = runs;
  if (main === undefined || runs.length < 2) return undefined;
  return html`<section id="comparison">
    <h2>Beside the baselines</h2>
    ${main.plan.workloads.map((workload) => comparisonTable(runs, workload, palette, main.plan.workloads.length > 1))}
    ${charts.map(figure)}
  </section>`;
}

function comparisonTable(runs: readonly RunView[], workload: PlannedWorkload, palette: Palette, named: boolean): Html {
  const rows = runs.flatMap((run, index) => {
    const planned = run.plan.workloads.find(({ name }) => name === workload.name);
    return planned === undefined ? [] : [{ run, planned, index, measured: measurementsOf(run, planned) }];
  });
  const most = Math.max(...rows.map(({ measured }) => measured.goodputBitsPerSecond?.value ?? 0));
  const hasPlayers = rows.some(({ measured }) => measured.latenessMicroseconds !== undefined);
  const hasStalls = rows.some(({ measured }) => measured.stalls !== undefined);
  return html`${named ? html`<h3>${workload.name}</h3>` : ""}
    <div class="scroll">
      <table class="comparison">
        <thead>
          <tr>
            <th>Run</th>
            <th>Endpoints</th>
            <th>Goodput</th>
            <th class="number">Subflows</th>
            <th class="number">Longest gap</th>
            ${hasStalls ? html`<th class="number">Stalls</th>` : ""}
            ${hasPlayers ? html`<th class="number">Player late</th>` : ""}
            <th class="number">Sent again</th>
            <th>Bytes</th>
          </tr>
        </thead>
        <tbody>
          ${rows.map(({ run, planned, index, measured }) => {
            const goodput = measured.goodputBitsPerSecond?.value;
            const share = goodput === undefined || most === 0 ? 0 : (100 * goodput) / most;
            return html`<tr>
              <td class="named">
                <span class="swatch" style="background:var(${palette.run(index)})"></span
                >${run.baseline ?? html`<strong>this experiment</strong>`}
              </td>
              <td class="quiet">${[...new Set(Object.values(run.manifest.endpoints))].join(" ↔ ")}</td>
              <td class="bar">
                <span class="track"
                  ><span style="width:${share.toFixed(1)}%;background:var(${palette.run(index)})"></span></span
                ><span class="figure">${goodput === undefined ? "–" : printRate(goodput)}</span>
              </td>
              <td class="number">${measured.subflows?.value ?? "–"}</td>
              <td class="number">
                ${measured.longestGapMicroseconds === undefined ? "–" : printTime(measured.longestGapMicroseconds.value)}
              </td>
              ${hasStalls ? html`<td class="number">${describeStalls(measured)}</td>` : ""}
              ${
                hasPlayers
                  ? html`<td class="number">
                      ${measured.latenessMicroseconds === undefined ? "–" : printTime(measured.latenessMicroseconds.value)}
                    </td>`
                  : ""
              }
              <td class="number">${segmentsSentAgain(run, planned)}</td>
              <td>${measured.intact?.value === true ? "intact" : (measured.damage ?? "–")}</td>
            </tr>`;
          })}
        </tbody>
      </table>
    </div>`;
}

/** Of a foreign player also how long: one that catches up has one stall, however long. */
function describeStalls({ stalls, longestStallMicroseconds: longest }: WorkloadMeasurements): string {
  if (stalls === undefined) return "–";
  return longest === undefined || stalls.value === 0
    ? String(stalls.value)
    : `${stalls.value} (${printTime(longest.value)})`;
}

function segmentsSentAgain(run: RunView, workload: PlannedWorkload): number | string {
  const subflows = connectionsOf(run, workload).flatMap((connection) => connection.subflows);
  return run.wire === undefined
    ? "–"
    : subflows.reduce((sum, subflow) => sum + deliveredDirection(workload, subflow).retransmissions, 0);
}

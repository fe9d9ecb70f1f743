import { html } from "../html.ts";
import type { Html } from "../html.ts";
import { deliveredDirection } from "../../verdict/measure-workload.ts";
import { printMoment, printSize } from "../../verdict/quantity.ts";
import type { WireSubflow } from "../../verdict/capture-analysis/wire-analysis.ts";
import { neutralColour } from "../palette.ts";
import type { Palette } from "../palette.ts";
import { connectionsOf } from "../run-view.ts";
import type { RunView } from "../run-view.ts";

/** Which path carried what, as the capture shows it. */
export function subflowsSection(run: RunView, palette: Palette): Html | undefined {
  const rows = run.plan.workloads.flatMap((workload) =>
    connectionsOf(run, workload).flatMap((connection) => connection.subflows.map((subflow) => ({ workload, subflow }))),
  );
  if (rows.length === 0) return undefined;
  return html`<section id="subflows">
    <h2>Subflows on the wire</h2>
    <div class="scroll">
      <table>
        <thead>
          <tr>
            <th>Path</th>
            <th>Workload</th>
            <th>Opened by</th>
            <th>Handshake</th>
            <th class="number">Opened</th>
            <th>Closed</th>
            <th class="number">Payload</th>
            <th class="number">Sent again</th>
            <th class="number">Re-injected</th>
          </tr>
        </thead>
        <tbody>
          ${rows.map(({ workload, subflow }) => {
            const { payloadBytes, retransmissions, reinjectedBytes } = deliveredDirection(workload, subflow);
            return html`<tr>
              <td class="named">
                <span class="swatch" style="background:var(${palette.path(subflow.path) ?? neutralColour})"></span
                >${subflow.path}
              </td>
              <td>${workload.name}</td>
              <td class="quiet">${subflow.openedBy} <code>${subflow.id.replace("-", " → ")}</code></td>
              <td>${describeHandshake(subflow)}</td>
              <td class="number">${printMoment(subflow.openedAt)}</td>
              <td class="quiet named">
                ${subflow.closedBy === undefined ? "open at the end" : `${subflow.closedBy === "fin" ? "FIN" : "RST"} at ${printMoment(subflow.closedAt ?? 0)}`}
              </td>
              <td class="number">${printSize(payloadBytes)}</td>
              <td class="number">${retransmissions}</td>
              <td class="number">${printSize(reinjectedBytes)}</td>
            </tr>`;
          })}
        </tbody>
      </table>
    </div>
  </section>`;
}

function describeHandshake({ initial, established, authenticated, backup }: WireSubflow): string {
  if (!established) return "never established";
  const hmac = authenticated === undefined ? "" : authenticated ? ", HMACs right" : ", an HMAC is wrong";
  return `${initial ? "initial" : `joined${hmac}`}${backup ? ", backup" : ""}`;
}

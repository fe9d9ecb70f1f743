import { html } from "../html.ts";
import type { Html, HtmlContent } from "../html.ts";
import type { DirectionMeasurement } from "../../path/measure/measurement.ts";
import { printPercent, printRate, printSize, printTime } from "../../verdict/quantity.ts";
import { neutralColour } from "../palette.ts";
import type { Palette } from "../palette.ts";
import { countedInRun, seriesOf } from "../run-view.ts";
import type { RunView } from "../run-view.ts";
import { drawTopology } from "../topology-drawing.ts";

/** The topology and, of each link, what was asked for and what was had. */
export function linksSection(run: RunView, palette: Palette): Html {
  return html`<section id="links">
    <h2>Topology and links</h2>
    <div class="scroll topology">${drawTopology(run, palette)}</div>
    ${
      run.manifest.substrate === "simulation"
        ? html`<p class="note">The links are simulated: they are exactly as the plan has them, and nothing is late.</p>`
        : measuredLinks(run, palette)
    }
  </section>`;
}

function measuredLinks(run: RunView, palette: Palette): Html {
  const { measurements, quality } = run.links;
  return html`${measurements.length === 0 ? html`<p class="note">No link was measured before the run.</p>` : measurementsTable(run, measurements, palette)}
  ${
    quality === undefined
      ? ""
      : html`<p class="note">
          During the run ${quality.realisation} links released ${quality.releases.toLocaleString("en")} packets under
          ${quality.scheduling}; they were late by ${printTime(quality.latenessMicroseconds.p50)} (median),
          ${printTime(quality.latenessMicroseconds.p99)} (99th percentile),
          ${printTime(quality.latenessMicroseconds.max)} at most.
        </p>`
  }`;
}

function measurementsTable(run: RunView, measurements: readonly DirectionMeasurement[], palette: Palette): Html {
  const lossy = measurements.some(({ configured }) => configured.loss !== undefined);
  return html`<div class="scroll">
      <table>
        <thead>
          <tr>
            <th rowspan="2">Link</th>
            <th rowspan="2">Direction</th>
            <th colspan="2" class="group">Rate</th>
            <th colspan="2" class="group">Delay, one way</th>
            ${lossy ? html`<th colspan="2" class="group">Loss</th>` : ""}
            <th rowspan="2" class="number">Carried</th>
            <th rowspan="2" class="number">Dropped</th>
            <th rowspan="2"></th>
          </tr>
          <tr>
            <th class="number">set</th>
            <th class="number">measured</th>
            <th class="number">set</th>
            <th class="number">measured</th>
            ${
              lossy
                ? html`<th class="number">set</th>
                    <th class="number">measured</th>`
                : ""
            }
          </tr>
        </thead>
        <tbody>
          ${measurements.map((measurement) => measurementRow(run, measurement, lossy, palette))}
        </tbody>
      </table>
    </div>
    <p class="note">
      Measured before the run${toleranceNote(measurements)}. Dropped: by the full queue, by loss, while the link was
      dead.
    </p>`;
}

function toleranceNote([first]: readonly DirectionMeasurement[]): string {
  if (first === undefined) return "";
  const { rateShare, delayMicroseconds } = first.tolerance;
  return `; tolerance ${printPercent(rateShare)} of rate and ${printTime(delayMicroseconds)} of delay`;
}

function measurementRow(run: RunView, measurement: DirectionMeasurement, lossy: boolean, palette: Palette): Html {
  const { link, direction, configured, measured, withinTolerance } = measurement;
  const series = seriesOf(run, "link").find(({ first }) => first.link === link && first.direction === direction);
  const drops =
    series === undefined
      ? "–"
      : (["dropsQueue", "dropsLoss", "dropsBlackhole"] as const)
          .map((cause) => countedInRun(series, cause).at(-1) ?? 0)
          .join(" / ");
  const loss =
    configured.loss === undefined
      ? undefined
      : configured.loss.kind === "bernoulli"
        ? printPercent(configured.loss.probability)
        : "Gilbert–Elliott";
  const cells: HtmlContent[] = [
    figureOr(configured.rateBitsPerSecond, printRate),
    figureOr(measured.rateBitsPerSecond, printRate),
    figureOr(configured.delayMicroseconds, printTime),
    figureOr(measured.delayMicroseconds, printTime),
    ...(lossy ? [loss ?? "–", figureOr(measured.loss?.probability, printPercent)] : []),
    series === undefined ? "–" : printSize(countedInRun(series, "bytes").at(-1) ?? 0),
    drops,
  ];
  return html`<tr>
    <td class="named">
      <span class="swatch" style="background:var(${palette.path(link) ?? neutralColour})"></span>${link}
    </td>
    <td class="quiet">${direction === "forward" ? "up" : "down"}</td>
    ${cells.map((cell) => html`<td class="number">${cell}</td>`)}
    <td>
      <span class="tick ${withinTolerance ? "passed" : "failed"}">${withinTolerance ? "✓" : "✗"}</span
      ><span class="hidden">${withinTolerance ? "within tolerance" : "out of tolerance"}</span>
    </td>
  </tr>`;
}

function figureOr(value: number | undefined, print: (value: number) => string): string {
  return value === undefined ? "–" : print(value);
}

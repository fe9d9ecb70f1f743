/// <reference lib="dom" />
/** One chart over the run's time: a legend that shows the values under the cursor and hides series, spans of faults behind, the moment in front. */
import uPlot from "uplot";
import type { ChartSeries, ChartSpan, ChartSpec } from "../chart-spec.ts";
import { currentMoment, onMoment, pin } from "./moment.ts";

const axisWidth = 54;
const rightPadding = 14;
/** Above the plot: what a fault's label would cover is what it explains. */
const labelStrip = 24;
const heights: Readonly<Record<ChartSpec["kind"], number>> = {
  stacked: 230,
  steps: 190,
  lines: 190,
  bars: 130,
  points: 170,
};
const syncKey = "run";

/** A zoom of one chart is the zoom of all. */
const charts: TimeChart[] = [];
let zoom: readonly [from: number, to: number] | undefined;

export class TimeChart {
  readonly #spec: ChartSpec;
  readonly #plot: HTMLElement;
  readonly #durationSeconds: number;
  readonly #values: HTMLElement[] = [];
  readonly #hidden = new Set<number>();
  #chart: uPlot | undefined;

  constructor(figure: HTMLElement, spec: ChartSpec, durationSeconds: number) {
    this.#spec = spec;
    this.#plot = figure.querySelector<HTMLElement>(".plot")!;
    this.#durationSeconds = durationSeconds;
    this.#fillLegend(figure.querySelector<HTMLElement>(".legend")!);
    this.draw();
    charts.push(this);
    onMoment(() => this.#chart?.redraw(false, false));
  }

  /** Anew, in the colours and the width of now. */
  draw(): void {
    this.#chart?.destroy();
    const width = Math.max(280, this.#plot.clientWidth);
    this.#chart = new uPlot(this.#options(width), this.#data(), this.#plot);
  }

  /** In the order of drawing: of bars the topmost first, which those below it then cover. */
  #shown(): readonly ChartSeries[] {
    const shown = this.#spec.series.filter((_, index) => !this.#hidden.has(index));
    return this.#spec.kind === "bars" ? shown.toReversed() : shown;
  }

  /** Stacked and bars: each series drawn as the sum of itself and those below it. */
  #data(): uPlot.AlignedData {
    const { kind } = this.#spec;
    const times = [...this.#spec.times];
    const shown = this.#shown();
    if (kind !== "stacked" && kind !== "bars") return [times, ...shown.map(({ values }) => [...values])];
    const sums = times.map(() => 0);
    const fromBelow = kind === "bars" ? shown.toReversed() : shown;
    const stacked = fromBelow.map(({ values }) => values.map((value, at) => (sums[at] = sums[at]! + (value ?? 0))));
    return [times, ...(kind === "bars" ? stacked.toReversed() : stacked)];
  }

  #options(width: number): uPlot.Options {
    const { kind, unit, top } = this.#spec;
    const muted = colour("--muted");
    const grid = { stroke: colour("--grid"), width: 1 };
    const font = "11.5px ui-sans-serif, system-ui, sans-serif";
    const axis = { stroke: muted, grid, ticks: { show: false }, font };
    const shown = this.#shown();
    return {
      width,
      height: heights[kind],
      padding: [this.#spec.spans.length > 0 ? labelStrip : 12, rightPadding, 0, 0],
      legend: { show: false },
      cursor: {
        sync: { key: syncKey, setSeries: false },
        drag: { x: true, y: false, setScale: false },
        points: { show: kind !== "bars", size: 6 },
        y: false,
        bind: {
          click: (chart, _target, handler) => (event) => this.#click(chart, event, handler),
          dblclick: () => () => {
            zoomAll(undefined);
            return null;
          },
        },
      },
      scales: {
        x: { time: false, range: () => [...this.#range()] },
        y: { range: (_chart, _low, high) => [0, top ?? (high > 0 ? high * 1.08 : 1)] },
      },
      axes: [
        { ...axis, size: 26, space: 70, values: (_chart, splits) => splits.map((seconds) => `${seconds} s`) },
        { ...axis, size: axisWidth, space: 34, values: (_chart, splits) => splits.map((value) => formatTick(value)) },
      ],
      series: [{}, ...shown.map((series, index) => this.#series(series, index))],
      ...(kind === "stacked"
        ? { bands: shown.slice(1).map((_, index) => ({ series: [index + 2, index + 1] as [number, number] })) }
        : {}),
      hooks: {
        drawClear: [(chart) => this.#drawSpans(chart)],
        draw: [(chart) => this.#drawSpanLabels(chart), (chart) => this.#drawMoment(chart)],
        setCursor: [(chart) => this.#showValues(chart.cursor.idx ?? undefined, unit)],
        setSelect: [(chart) => this.#zoomToSelection(chart)],
      },
    };
  }

  #series(series: ChartSeries, index: number): uPlot.Series {
    const { kind } = this.#spec;
    const stroke = colour(series.colour);
    const shared = { label: series.label, stroke, points: { show: false }, ...(series.dashed ? { dash: [5, 4] } : {}) };
    switch (kind) {
      case "stacked":
        return {
          ...shared,
          width: 1,
          fill: translucent(stroke, index % 2 === 0 ? 0.55 : 0.5),
          paths: uPlot.paths.stepped!({ align: 1 }),
        };
      case "steps":
        return { ...shared, width: 1.75, paths: uPlot.paths.stepped!({ align: 1 }) };
      case "lines":
        return { ...shared, width: series.dashed ? 1.25 : 1.75, spanGaps: true };
      case "bars":
        return {
          label: series.label,
          width: 0,
          fill: series.dashed ? translucent(stroke, 0.45) : stroke,
          points: { show: false },
          paths: uPlot.paths.bars!({ size: [0.9, 8, 2], align: 1 }),
        };
      case "points":
        return { ...shared, paths: () => null, points: { show: true, size: 4, fill: stroke, stroke } };
    }
  }

  #fillLegend(legend: HTMLElement): void {
    this.#spec.series.forEach((series, index) => {
      const button = document.createElement("button");
      const swatch = document.createElement("span");
      const value = document.createElement("span");
      button.type = "button";
      button.title = "show or hide";
      button.setAttribute("aria-pressed", "true");
      swatch.className = series.dashed ? `swatch ${this.#spec.kind === "bars" ? "faint" : "dashed"}` : "swatch";
      swatch.style.setProperty("--colour", `var(${series.colour})`);
      value.className = "value";
      button.append(swatch, series.label, value);
      button.addEventListener("click", () => {
        if (!this.#hidden.delete(index)) this.#hidden.add(index);
        button.setAttribute("aria-pressed", String(!this.#hidden.has(index)));
        this.draw();
      });
      legend.append(button);
      this.#values.push(value);
    });
  }

  #showValues(at: number | undefined, unit: string): void {
    this.#spec.series.forEach(({ values }, index) => {
      const value = at === undefined ? undefined : values[at];
      this.#values[index]!.textContent = value === undefined || value === null ? "" : `${formatTick(value)} ${unit}`;
    });
  }

  #drawSpans(chart: uPlot): void {
    const { ctx } = chart;
    const { top, height } = chart.bbox;
    const ratio = devicePixelRatio;
    ctx.save();
    clipToPlot(chart);
    for (const span of this.#spec.spans) {
      const [left, right] = edges(chart, span);
      const stroke = colour(span.colour);
      ctx.fillStyle = translucent(stroke, 0.1);
      ctx.fillRect(left, top, right - left, height);
      ctx.strokeStyle = translucent(stroke, 0.75);
      ctx.lineWidth = ratio;
      ctx.setLineDash([3 * ratio, 3 * ratio]);
      for (const x of new Set([left, right])) {
        ctx.beginPath();
        ctx.moveTo(x, top);
        ctx.lineTo(x, top + height);
        ctx.stroke();
      }
      ctx.setLineDash([]);
    }
    ctx.restore();
  }

  /** In a strip above the plot, one after the other where they would meet. */
  #drawSpanLabels(chart: uPlot): void {
    const { ctx } = chart;
    const ratio = devicePixelRatio;
    ctx.save();
    ctx.font = `600 ${11 * ratio}px ui-sans-serif, system-ui, sans-serif`;
    ctx.textBaseline = "bottom";
    ctx.textAlign = "left";
    let free = 0;
    for (const span of this.#spec.spans.toSorted((one, other) => one.from - other.from)) {
      const left = Math.max(free, edges(chart, span)[0]);
      if (edges(chart, span)[1] < chart.bbox.left || left > chart.bbox.left + chart.bbox.width) continue;
      ctx.fillStyle = colour(span.colour);
      ctx.fillText(span.label, Math.max(left, chart.bbox.left), chart.bbox.top - 4 * ratio);
      free = Math.max(left, chart.bbox.left) + ctx.measureText(span.label).width + 8 * ratio;
    }
    ctx.restore();
  }

  #drawMoment(chart: uPlot): void {
    const { pointed, pinned } = currentMoment();
    const { ctx } = chart;
    ctx.save();
    clipToPlot(chart);
    for (const [seconds, width] of [
      [pinned, 1.5],
      [pointed, 1],
    ] as const) {
      if (seconds === undefined) continue;
      const x = chart.valToPos(seconds, "x", true);
      ctx.strokeStyle = colour("--accent");
      ctx.lineWidth = width * devicePixelRatio;
      ctx.beginPath();
      ctx.moveTo(x, chart.bbox.top);
      ctx.lineTo(x, chart.bbox.top + chart.bbox.height);
      ctx.stroke();
    }
    ctx.restore();
  }

  #click(chart: uPlot, event: MouseEvent, handler: (event: MouseEvent) => void): null {
    handler(event);
    const { left } = chart.cursor;
    if (left !== undefined && left >= 0) pin(Math.round(chart.posToVal(left, "x") * 1000) / 1000);
    return null;
  }

  #zoomToSelection(chart: uPlot): void {
    const { left, width } = chart.select;
    if (width <= 0) return;
    const [from, to] = [chart.posToVal(left, "x"), chart.posToVal(left + width, "x")];
    chart.setSelect({ left: 0, top: 0, width: 0, height: 0 }, false);
    zoomAll([from, to]);
  }

  /** To what is zoomed to now. */
  rescale(): void {
    const [min, max] = this.#range();
    this.#chart?.setScale("x", { min, max });
  }

  #range(): readonly [from: number, to: number] {
    return zoom ?? [0, Math.max(this.#spec.times.at(-1) ?? 0, this.#durationSeconds)];
  }
}

function zoomAll(to: typeof zoom): void {
  zoom = to;
  for (const chart of charts) chart.rescale();
}

function edges(chart: uPlot, { from, to }: ChartSpan): [number, number] {
  return [Math.round(chart.valToPos(from, "x", true)), Math.round(chart.valToPos(to, "x", true))];
}

function clipToPlot({ ctx, bbox }: uPlot): void {
  ctx.beginPath();
  ctx.rect(bbox.left, bbox.top, bbox.width, bbox.height);
  ctx.clip();
}

function colour(property: string): string {
  return getComputedStyle(document.documentElement).getPropertyValue(property).trim();
}

/** `#rrggbb` with an alpha. */
function translucent(hex: string, alpha: number): string {
  return `${hex}${Math.round(alpha * 255)
    .toString(16)
    .padStart(2, "0")}`;
}

function formatTick(value: number): string {
  return Number(value.toPrecision(value >= 1000 ? 4 : 3)).toLocaleString("en");
}

/** What the page's script needs to draw one chart; made here, drawn there. Times are seconds since the run's zero. */
export interface ChartSpec {
  readonly id: string;
  readonly title: string;
  /** How the values came about: averages, slices, witnesses. */
  readonly note: string;
  readonly unit: string;
  /** Top of the scale where a few values far above all others would flatten the rest; the note tells of them. */
  readonly top?: number;
  /** `steps`: each value holds until the next time. `stacked`: steps, one on top of the other. */
  readonly kind: "lines" | "steps" | "stacked" | "bars" | "points";
  readonly times: readonly number[];
  readonly series: readonly ChartSeries[];
  readonly spans: readonly ChartSpan[];
}

export interface ChartSeries {
  readonly label: string;
  /** Name of the custom property that holds its colour. */
  readonly colour: string;
  /** The fainter of two that share a colour; as a bar it is lighter instead. */
  readonly dashed: boolean;
  /** As many as there are times; null where there is none. */
  readonly values: readonly (number | null)[];
}

/** A time in which something was so: a link dead, a player stalled. */
export interface ChartSpan {
  readonly from: number;
  readonly to: number;
  readonly label: string;
  readonly colour: string;
}

/** Three significant digits are more than a screen shows, and keep the page small. */
export function compact(value: number): number {
  return Number.isFinite(value) ? Number(value.toPrecision(4)) : value;
}

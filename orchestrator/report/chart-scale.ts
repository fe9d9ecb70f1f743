import type { ChartSpec } from "./chart-spec.ts";

const usualShare = 0.98;
/** A peak so many times above what is usual flattens the rest of its chart. */
const peakFactor = 3;
const headroom = 1.6;

/** The chart with a scale for its usual values, where a few peaks stand far above them; its note then says how high and when they are. */
export function scaleToUsual(chart: ChartSpec): ChartSpec {
  const points = chart.series.flatMap(({ values }) =>
    values.map((value, at) => ({ value: value ?? 0, time: chart.times[at] ?? 0 })),
  );
  const ascending = points.map(({ value }) => value).toSorted((one, other) => one - other);
  const usual = ascending[Math.floor((ascending.length - 1) * usualShare)] ?? 0;
  const peak = points.reduce((highest, point) => (point.value > highest.value ? point : highest), {
    value: 0,
    time: 0,
  });
  if (usual <= 0 || peak.value <= usual * peakFactor) return chart;
  const top = usual * headroom;
  const above = points.filter(({ value }) => value > top).length;
  const told = `${above === 1 ? "One value goes" : `${above} values go`} beyond the scale, the highest ${peak.value} ${chart.unit} at ${peak.time.toFixed(1)} s: bytes that had waited for a hole to be filled.`;
  return { ...chart, top, note: `${chart.note} ${told}` };
}

/** The figures of several columns (substrates, or bundles) side by side, and whether they agree. */
import { estimateMean } from "./confidence-interval.ts";
import type { Estimate } from "./confidence-interval.ts";
import type { ComparedMetric, Figure } from "./run-figures.ts";

/** How far the means of two columns may be apart: a share of the first one's, or an amount of it. */
export type Tolerance = { readonly share: number } | { readonly microseconds: number };

/** Metrics without a tolerance are shown and not judged. */
export const tolerances: Readonly<Partial<Record<ComparedMetric, Tolerance>>> = {
  goodput: { share: 0.05 },
  completion: { share: 0.05 },
  longestGap: { microseconds: 100_000 },
};

export interface Column {
  readonly name: string;
  /** Of each run. */
  readonly runs: readonly (readonly Figure[])[];
}

export interface ComparedFigure {
  readonly of: string;
  readonly metric: ComparedMetric;
  readonly tolerance?: Tolerance;
  /** By the column's name; absent where a column has no such figure. */
  readonly estimates: Readonly<Record<string, Estimate>>;
  /** Absent where nothing is judged. */
  readonly agrees?: boolean;
}

/** In the order in which the figures first come. A figure that only some columns have does not agree. */
export function compareFigures(columns: readonly Column[]): ComparedFigure[] {
  const keys = new Map<string, Pick<Figure, "of" | "metric">>();
  for (const { of, metric } of columns.flatMap(({ runs }) => runs.flat())) keys.set(`${of} ${metric}`, { of, metric });
  return [...keys.values()].map(({ of, metric }) => {
    const estimates = Object.fromEntries(
      columns.flatMap(({ name, runs }) => {
        const samples = runs.flatMap((run) => run.find((one) => one.of === of && one.metric === metric)?.value ?? []);
        return samples.length === 0 ? [] : [[name, estimateMean(samples)] as const];
      }),
    );
    const tolerance = tolerances[metric];
    if (tolerance === undefined) return { of, metric, estimates };
    const means = columns.map(({ name }) => estimates[name]?.mean);
    return { of, metric, tolerance, estimates, agrees: means.every((mean) => isWithin(tolerance, means[0], mean)) };
  });
}

/** Two transfers that never ended agree in that. */
function isWithin(tolerance: Tolerance, reference: number | undefined, value: number | undefined): boolean {
  if (reference === undefined || value === undefined) return false;
  if (reference === value) return true;
  const allowed = "share" in tolerance ? tolerance.share * reference : tolerance.microseconds;
  return Math.abs(value - reference) <= allowed;
}

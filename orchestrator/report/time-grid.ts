/** Equal slices of a run's time, so few that a page can carry them, and values brought onto them without hiding their extremes. */
export interface TimeGrid {
  readonly widthMicroseconds: number;
  readonly slices: number;
}

const mostSlices = 400;
const roundWidths = [
  50_000, 100_000, 200_000, 500_000, 1_000_000, 2_000_000, 5_000_000, 10_000_000, 30_000_000, 60_000_000,
] as const;

/** `finest`: the width below which there is nothing to see. */
export function timeGrid(durationMicroseconds: number, finest: number): TimeGrid {
  const least = Math.max(finest, durationMicroseconds / mostSlices);
  const widthMicroseconds = roundWidths.find((width) => width >= least) ?? least;
  return { widthMicroseconds, slices: Math.max(1, Math.ceil(durationMicroseconds / widthMicroseconds)) };
}

/** Seconds at which the slices begin. */
export function gridTimes({ widthMicroseconds, slices }: TimeGrid): number[] {
  return Array.from({ length: slices }, (_, slice) => (slice * widthMicroseconds) / 1e6);
}

/** Sums of finer slices of `finerMicroseconds`, per second. */
export function ratesOnGrid(sums: readonly number[], finerMicroseconds: number, grid: TimeGrid): number[] {
  const rates = Array.from({ length: grid.slices }, () => 0);
  sums.forEach((sum, index) => {
    const slice = Math.floor((index * finerMicroseconds) / grid.widthMicroseconds);
    if (slice < grid.slices) rates[slice] = rates[slice]! + (sum * 1e6) / grid.widthMicroseconds;
  });
  return rates;
}

/** One value per slice: the one that matters of those sampled in it (`Math.max` for queues and delays, `Math.min` for buffers); null where there is none. */
export function extremesOnGrid(
  times: readonly number[],
  values: readonly number[],
  grid: TimeGrid,
  extreme: (one: number, other: number) => number,
): (number | null)[] {
  const kept = Array.from({ length: grid.slices }, (): number | null => null);
  times.forEach((time, index) => {
    const value = values[index]!;
    const slice = Math.floor(time / grid.widthMicroseconds);
    if (Number.isNaN(value) || slice < 0 || slice >= grid.slices) return;
    const before = kept[slice] ?? null;
    kept[slice] = before === null ? value : extreme(before, value);
  });
  return kept;
}

import type { Schedulable, Scheduler } from "./scheduler.ts";

/** Lower is better; a class is left only when it has no usable member, not when its windows are full. */
function preference(subflow: Schedulable): number {
  return (subflow.stale ? 2 : 0) + (subflow.backup ? 1 : 0);
}

/** The subflow with the lowest smoothed RTT among those with room in their windows (the default of Linux; Raiciu et al., NSDI'12). */
export const minRtt: Scheduler = {
  name: "min-rtt",
  select<T extends Schedulable>(subflows: readonly T[], excluded?: number): T | undefined {
    let bestPreference = Number.POSITIVE_INFINITY;
    let best: T | undefined;
    for (const subflow of subflows) {
      if (!subflow.usable || subflow.id === excluded) continue;
      const rank = preference(subflow);
      if (rank > bestPreference) continue;
      if (rank < bestPreference) {
        bestPreference = rank;
        best = undefined;
      }
      if (subflow.space <= 0) continue;
      if (best === undefined || subflow.smoothedRttMicroseconds < best.smoothedRttMicroseconds) best = subflow;
    }
    return best;
  },
};

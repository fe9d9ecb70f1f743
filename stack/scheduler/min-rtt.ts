import { type Demand, hasRoom, preference, type Schedulable, type Scheduler } from "./scheduler.ts";

/**
 * The subflow with the lowest smoothed RTT among those with room in their windows (the default of Linux; Raiciu et al., NSDI'12). What fits into the window of a faster
 * one does not go to a slower one merely because the pacer holds it back for a moment.
 */
export class MinRtt implements Scheduler {
  readonly name = "min-rtt";
  reason = "";

  select<T extends Schedulable>(subflows: readonly T[], { pendingBytes }: Demand): T | undefined {
    let pending = pendingBytes;
    let passedRtt = -1;
    let passedId = -1;
    for (;;) {
      let best = Number.POSITIVE_INFINITY;
      let next: T | undefined;
      for (const subflow of subflows) {
        const own = preference(subflow);
        if (own > best || (own === best && !hasRoom(subflow)) || !subflow.usable) continue;
        if (own < best) next = undefined;
        best = own;
        if (!hasRoom(subflow) || !follows(subflow, passedRtt, passedId)) continue;
        if (next === undefined || follows(next, subflow.smoothedRttMicroseconds, subflow.id)) next = subflow;
      }
      if (next === undefined || next.space > 0) {
        this.reason = next === undefined ? "windows-are-full" : "lowest-rtt-with-room";
        return next;
      }
      pending -= next.pacedBytes;
      if (pending <= 0) {
        this.reason = "pacer-of-faster-one";
        return undefined;
      }
      passedRtt = next.smoothedRttMicroseconds;
      passedId = next.id;
    }
  }
}

/** In the order of RTT, then of age. */
function follows(subflow: Schedulable, rtt: number, id: number): boolean {
  const own = subflow.smoothedRttMicroseconds;
  return own > rtt || (own === rtt && subflow.id > id);
}

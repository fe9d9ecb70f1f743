import { type Demand, fastest, type Schedulable, type Scheduler } from "./scheduler.ts";

/** β of the paper: hysteresis in favour of going on with waiting. */
const hysteresis = 0.25;

/**
 * Earliest completion first (Lim et al., CoNEXT'17): what waits goes on a slower subflow only if it would be through earlier than by waiting for the fast one,
 * whose window is full, to carry it.
 */
export class EarliestCompletionFirst implements Scheduler {
  readonly name = "ecf";
  reason = "";
  #waiting = false;

  select<T extends Schedulable>(subflows: readonly T[], { pendingBytes }: Demand): T | undefined {
    const fast = fastest(subflows, false);
    this.reason = "fastest";
    if (fast === undefined || fast.space > 0) return fast;
    this.reason = "pacer-of-fastest";
    if (fast.pacedBytes >= pendingBytes) return undefined;
    this.reason = "windows-are-full";
    const slow = fastest(subflows, true, fast);
    if (slow === undefined || slow.space <= 0) return undefined;
    const fastRtt = fast.smoothedRttMicroseconds;
    const slowRtt = slow.smoothedRttMicroseconds;
    const margin = Math.max(fast.rttVariationMicroseconds, slow.rttVariationMicroseconds);
    const viaFast = (1 + pendingBytes / fast.congestionWindow) * fastRtt;
    const patience = 1 + (this.#waiting ? hysteresis : 0);
    if (viaFast < patience * (slowRtt + margin)) {
      const viaSlow = (pendingBytes / slow.congestionWindow) * slowRtt;
      if (Math.max(viaSlow, slowRtt) >= 2 * fastRtt + margin) {
        this.#waiting = true;
        this.reason = "fastest-completes-earlier";
        return undefined;
      }
    } else this.#waiting = false;
    this.reason = "completes-earlier-than-waiting";
    return slow;
  }
}

import { type Demand, fastest, type Schedulable, type Scheduler } from "./scheduler.ts";

/** Steps and bounds of lambda. */
const lambdaStep = 0.01;
const minimumLambda = 1;
const maximumLambda = 1.3;

/**
 * BLEST (Ferlin et al., IFIP Networking 2016): a slower subflow is given a segment only if what the fast one could send while that segment is under way still fits into
 * the connection's window; otherwise it would block the fast one, which is worth waiting for.
 */
export class Blest implements Scheduler {
  readonly name = "blest";
  reason = "";
  /** By how much the fast subflow's share is corrected: grows with each blocking that was not foreseen, falls slowly while there is none. */
  #lambda = minimumLambda;
  #blocked = false;

  get lambda(): number {
    return this.#lambda;
  }

  select<T extends Schedulable>(subflows: readonly T[], demand: Demand): T | undefined {
    const fast = fastest(subflows, false);
    this.reason = "fastest";
    return fast === undefined || fast.space > 0 ? fast : this.#beside(fast, subflows, demand);
  }

  onWindowBlocked(): void {
    this.#blocked = true;
  }

  /** `fast` cannot send now: the next faster one may, unless it would block `fast`. */
  #beside<T extends Schedulable>(
    fast: T,
    subflows: readonly T[],
    { pendingBytes, windowBytes }: Demand,
  ): T | undefined {
    this.reason = "pacer-of-fastest";
    if (fast.pacedBytes >= pendingBytes) return undefined;
    this.reason = "windows-are-full";
    const slow = fastest(subflows, true, fast);
    if (slow === undefined || slow.space <= 0) return undefined;
    if (this.#blocked) this.#lambda = Math.min(maximumLambda, this.#lambda + lambdaStep);
    else this.#lambda = Math.max(minimumLambda, this.#lambda - lambdaStep / 10);
    this.#blocked = false;
    // The window of `fast` grows by a segment each of its round trips, for as long as the slow segment is under way.
    const rounds = slow.smoothedRttMicroseconds / Math.max(1, fast.smoothedRttMicroseconds);
    const sentByFast = (fast.congestionWindow + (fast.segmentSize * (rounds - 1)) / 2) * rounds;
    const left = windowBytes - (slow.bytesInFlight + slow.segmentSize);
    const wouldBlock = sentByFast * this.#lambda > left;
    this.reason = wouldBlock ? "would-block-fastest" : "fits-beside-fastest";
    return wouldBlock ? undefined : slow;
  }
}

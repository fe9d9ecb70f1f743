/**
 * A subflow that times out while others live is stale: nothing more is given to it, and the others get what it holds, until it is heard of again (RFC 8684 §3.3.6).
 */

import type { Subflow } from "./subflow.ts";

/** While others live, a silent subflow is probed at least this often: its return shall be seen within a second. */
const probeInterval = 1_000_000;

export class Staleness {
  stale = false;
  readonly #subflow: Subflow;
  #since = 0;
  /** What its first timeout sent again got no answer either. */
  #timedOutAgain = false;

  constructor(subflow: Subflow) {
    this.#subflow = subflow;
  }

  onRetransmissionTimeout(now: number): void {
    const { connection, congestion, endpoint } = this.#subflow;
    const { sender } = endpoint;
    if (!connection.subflowSet.hasLiveAlternative(this.#subflow)) {
      sender.timeoutLimit = Number.POSITIVE_INFINITY;
      connection.paths.requestUpdate(now);
      return;
    }
    sender.timeoutLimit = probeInterval;
    sender.applyTimeoutLimit(now);
    if (!this.stale) {
      // A path that loses a few packets is still there: were it left out of the coupling, the others would be TCPs of their own for as long (RFC 6356 §3: all subflows).
      this.begin(now, true);
    } else if (!this.#timedOutAgain) {
      this.#timedOutAgain = true;
      congestion.setActive(false);
      this.#tellCoupling(false, "timed-out-again", now);
    }
  }

  /** `isCoupled`: its window still counts beside theirs. */
  begin(now: number, isCoupled: boolean): void {
    const { connection, congestion } = this.#subflow;
    if (this.stale || !connection.subflowSet.hasLiveAlternative(this.#subflow)) return;
    this.stale = true;
    this.#timedOutAgain = false;
    this.#since = now;
    if (!isCoupled) {
      congestion.setActive(false);
      this.#tellCoupling(false, "doubted", now);
    }
    const { reinjection } = connection.environment.mechanisms;
    const unacknowledgedBytes = reinjection ? connection.dataSender.reinjectFrom(this.#subflow, this.#subflow.id) : 0;
    connection.environment.record({
      time: now,
      name: "scheduler:stale",
      connection: connection.id,
      subflow: this.#subflow.id,
      section: "RFC 8684 §3.3.6",
      consecutiveTimeouts: this.#subflow.consecutiveTimeouts,
      unacknowledgedBytes,
    });
    connection.paths.requestUpdate(now);
  }

  /** The peer has answered on it. */
  end(now: number): void {
    if (!this.stale) return;
    const { connection, congestion, endpoint } = this.#subflow;
    this.stale = false;
    endpoint.sender.timeoutLimit = Number.POSITIVE_INFINITY;
    congestion.setActive(true);
    this.#tellCoupling(true, "heard-again", now);
    // After an outage the old window says nothing of the path. After one timeout it does: half of what was in flight ends slow start (RFC 5681 §3.1).
    if (this.#timedOutAgain) endpoint.sender.restartAfterOutage(now);
    connection.environment.record({
      time: now,
      name: "scheduler:recovered",
      connection: connection.id,
      subflow: this.#subflow.id,
      section: "RFC 8684 §3.3.6",
      silentMicroseconds: now - this.#since,
    });
    connection.paths.requestUpdate(now);
  }

  #tellCoupling(coupled: boolean, reason: "doubted" | "timed-out-again" | "heard-again", now: number): void {
    const { connection, id } = this.#subflow;
    connection.environment.trace.congestion?.({
      time: now,
      name: "congestion:coupling-changed",
      connection: connection.id,
      subflow: id,
      section: "RFC 6356 §3",
      coupled,
      reason,
    });
  }
}

/** What losses, marks and other subflows do to the window: one reduction a round trip, from what was in flight in it. */

import type { CongestionControl } from "../congestion/congestion-control.ts";
import { FlightSize } from "./flight-size.ts";

export class CongestionResponse {
  readonly congestion: CongestionControl;
  readonly #flight = new FlightSize();
  /** SND.NXT when the window was last reduced: what was sent before it says no more than has been answered already. */
  #reducedUntil = 0;
  /** The present recovery has reduced the window, and can give it back. */
  #ofRecovery = false;

  constructor(congestion: CongestionControl) {
    this.congestion = congestion;
  }

  onSent(outstanding: number): void {
    this.#flight.onSent(outstanding);
  }

  onAcknowledged(unacknowledged: number, next: number): void {
    this.#flight.onAcknowledged(unacknowledged, next);
  }

  /** The window has been reduced in this round trip. */
  hasReduced(unacknowledged: number): boolean {
    return unacknowledged < this.#reducedUntil;
  }

  /** The loss of what was sent before a reduction, or a mark on it, has been answered (RFC 6582 §3.2 step 1; RFC 3168 §6.1.2). */
  reduce(unacknowledged: number, next: number): void {
    if (this.hasReduced(unacknowledged)) return;
    this.congestion.onLoss(this.#flight.bytes);
    this.#reducedUntil = next;
  }

  /** Half the window, for a reason that is not of this path. */
  halve(unacknowledged: number, next: number): void {
    if (this.hasReduced(unacknowledged)) return;
    this.congestion.limit(this.congestion.congestionWindow / 2);
    this.#reducedUntil = next;
  }

  beginRecovery(unacknowledged: number, next: number): void {
    this.#ofRecovery = !this.hasReduced(unacknowledged);
    this.reduce(unacknowledged, next);
  }

  /** `repeated`: for what was sent again already. */
  onRetransmissionTimeout(repeated: boolean): void {
    this.#ofRecovery = true;
    this.congestion.onRetransmissionTimeout(this.#flight.bytes, repeated);
  }

  /** The recovery was for nothing (RFC 4015 §3.2). */
  undoRecovery(): void {
    if (this.#ofRecovery) this.congestion.undo();
  }
}

/** What losses, marks and other subflows do to the window: one reduction a round trip, from what was in flight in it. */

import type { CongestionControl } from "../congestion/congestion-control.ts";
import type { WindowChangeCause } from "../tcp-decisions.ts";
import { FlightSize } from "./flight-size.ts";
import type { DecisionRecorder } from "./tcp-journal.ts";

/** RFC 7661 §4.2: the non-validated period. */
const windowValidityMicroseconds = 300_000_000;

const sections: Readonly<Record<WindowChangeCause, string>> = {
  loss: "RFC 5681 §3.2",
  "repaired-loss": "RFC 8985 §7.4.2",
  "congestion-mark": "RFC 3168 §6.1.2",
  timeout: "RFC 5681 §3.1",
  "repeated-timeout": "RFC 5681 §3.1",
  penalised: "NSDI'12 §4.2",
  undone: "RFC 4015 §3.2",
  idle: "RFC 7661 §4.2",
  "lost-syn": "RFC 5681 §3.1",
  outage: "RFC 5681 §4.1",
};

export class CongestionResponse {
  readonly congestion: CongestionControl;
  readonly #flight = new FlightSize();
  readonly #trace: DecisionRecorder | undefined;
  /** SND.NXT when the window was last reduced: what was sent before it says no more than has been answered already. */
  #reducedUntil = 0;
  /** The present recovery has reduced the window, and can give it back. */
  #ofRecovery = false;

  constructor(congestion: CongestionControl, trace: DecisionRecorder | undefined) {
    this.congestion = congestion;
    this.#trace = trace;
  }

  onSent(outstanding: number): void {
    this.#flight.onSent(outstanding);
  }

  onAcknowledged(unacknowledged: number, next: number): void {
    this.#flight.onAcknowledged(unacknowledged, next);
  }

  /** The window, and not the application, has kept `inFlight` bytes from being more; in slow start, nearly (RFC 7661 §4.1). */
  wasLimit(inFlight: number, segmentSize: number): boolean {
    const { congestionWindow, slowStartThreshold } = this.congestion;
    if (inFlight + 2 * segmentSize >= congestionWindow) return true;
    return congestionWindow < slowStartThreshold && 2 * inFlight >= congestionWindow;
  }

  /** The window has been reduced in this round trip. */
  hasReduced(unacknowledged: number): boolean {
    return unacknowledged < this.#reducedUntil;
  }

  /** The loss of what was sent before a reduction, or a mark on it, has been answered (RFC 6582 §3.2 step 1; RFC 3168 §6.1.2). */
  reduce(cause: "loss" | "repaired-loss" | "congestion-mark", unacknowledged: number, next: number, now: number): void {
    if (this.hasReduced(unacknowledged)) return;
    const { congestionWindow } = this.congestion;
    this.congestion.onLoss(this.#flight.bytes);
    this.#reducedUntil = next;
    this.#tell(cause, congestionWindow, now);
  }

  /** Half the window, for a reason that is not of this path. */
  halve(unacknowledged: number, next: number, now: number): void {
    if (this.hasReduced(unacknowledged)) return;
    const { congestionWindow } = this.congestion;
    this.congestion.limit(congestionWindow / 2);
    this.#reducedUntil = next;
    this.#tell("penalised", congestionWindow, now);
  }

  beginRecovery(unacknowledged: number, next: number, now: number): void {
    this.#ofRecovery = !this.hasReduced(unacknowledged);
    this.reduce("loss", unacknowledged, next, now);
  }

  /** `repeated`: for what was sent again already. */
  onRetransmissionTimeout(repeated: boolean, now: number): void {
    this.#ofRecovery = true;
    const { congestionWindow } = this.congestion;
    this.congestion.onRetransmissionTimeout(this.#flight.bytes, repeated);
    this.#tell(repeated ? "repeated-timeout" : "timeout", congestionWindow, now);
  }

  /** The recovery was for nothing (RFC 4015 §3.2). False: it had not reduced the window. */
  undoRecovery(now: number): boolean {
    if (!this.#ofRecovery) return false;
    const { congestionWindow } = this.congestion;
    this.congestion.undo();
    this.#tell("undone", congestionWindow, now);
    return true;
  }

  /** A SYN or SYN/ACK was lost: one segment (RFC 5681 §3.1). */
  onLostSyn(now: number): void {
    const { congestionWindow } = this.congestion;
    this.congestion.onRetransmissionTimeout(0, true);
    this.#tell("lost-syn", congestionWindow, now);
  }

  /**
   * New data after a pause with nothing outstanding. A window that grew only where it was the limit stays valid over pauses (RFC 7661 §4.2): an application that sends in
   * bursts would else begin each of them with ten segments (RFC 5681 §4.1) and find the faster path full.
   */
  onPause(pauseMicroseconds: number, now: number): void {
    if (pauseMicroseconds <= windowValidityMicroseconds) return;
    const { congestionWindow } = this.congestion;
    this.congestion.onIdle();
    if (this.congestion.congestionWindow !== congestionWindow) this.#tell("idle", congestionWindow, now);
  }

  /** After an outage the old window says nothing of the path. */
  onOutage(now: number): void {
    const { congestionWindow } = this.congestion;
    this.congestion.restart();
    this.#tell("outage", congestionWindow, now);
  }

  #tell(cause: WindowChangeCause, formerWindow: number, now: number): void {
    this.#trace?.(
      {
        name: "congestion:window-changed",
        section: sections[cause],
        cause,
        flightSize: this.#flight.bytes,
        formerWindow,
        congestionWindow: this.congestion.congestionWindow,
        slowStartThreshold: this.congestion.slowStartThreshold,
      },
      now,
    );
  }
}

/**
 * Spreads what the congestion window allows over the round trip, so that no burst of it overflows a short queue (RFC 9002 §7.7; Linux's internal pacing). Faster
 * than the window alone, since it shall grow: twice in slow start, 1.2 times in congestion avoidance.
 */

import type { DecisionRecorder } from "./tcp-journal.ts";
import { timer, type TimerTable } from "./timers.ts";

/** Of a rate in bytes a microsecond. */
const bitsPerSecond = 8e6;
const slowStartGain = 2;
const avoidanceGain = 1.2;
/** What may leave at once, by the time that it takes at the pacing rate, or a single segment: a timer need not be finer. */
const burstMicroseconds = 1_000;
/** So much of a pause is made up for, as if it were a timer's lateness. */
const latenessMicroseconds = 2_000;

export class Pacer {
  enabled = false;
  /** When all that has left would have, at the pacing rate. */
  nextAt = 0;
  #rate: number = Number.POSITIVE_INFINITY;
  #lateness = latenessMicroseconds;
  /** Bytes that the windows allow, but the pacer not yet. */
  heldBytes = 0;
  readonly #timers: TimerTable;
  readonly #trace: DecisionRecorder | undefined;
  #rateTold = 0;
  #gainTold = 0;
  #heldUntilTold = -1;

  constructor(timers: TimerTable, trace: DecisionRecorder | undefined) {
    this.#timers = timers;
    this.#trace = trace;
  }

  /** Bytes a microsecond; `Infinity` before the first measurement. */
  get rate(): number {
    return this.#rate;
  }

  /** `smoothedRtt` 0: not measured. */
  update(congestionWindow: number, slowStartThreshold: number, smoothedRttMicroseconds: number, now: number): void {
    const gain = congestionWindow < slowStartThreshold ? slowStartGain : avoidanceGain;
    this.#rate =
      smoothedRttMicroseconds > 0 ? (gain * congestionWindow) / smoothedRttMicroseconds : Number.POSITIVE_INFINITY;
    if (this.#trace === undefined || smoothedRttMicroseconds === 0) return;
    if (gain === this.#gainTold && Math.abs(this.#rate - this.#rateTold) < this.#rateTold / 8) return;
    this.#gainTold = gain;
    this.#rateTold = this.#rate;
    this.#trace(
      {
        name: "congestion:pacing-rate-changed",
        section: "RFC 9002 §7.7",
        pacingRate: this.#rate * bitsPerSecond,
        gain,
        congestionWindow,
        slowStartThreshold,
        smoothedRttMicroseconds,
      },
      now,
    );
  }

  /** How much of `allowed` bytes may leave at once now, by whole segments of `size`; if nothing may, a timer tells when. */
  pace(allowed: number, size: number, now: number): number {
    this.heldBytes = 0;
    this.expire(now);
    const burst = this.burst(size, now);
    if (allowed <= burst) return allowed;
    if (burst > 0) return burst - (burst % size);
    this.heldBytes = allowed;
    this.#timers.set(timer.pacing, this.nextAt);
    if (this.#trace !== undefined) this.#tellHeld(this.#trace, now);
    return 0;
  }

  /** Once for each pause, however often it is asked about. */
  #tellHeld(record: DecisionRecorder, now: number): void {
    if (this.nextAt === this.#heldUntilTold) return;
    this.#heldUntilTold = this.nextAt;
    record(
      {
        name: "congestion:burst-held",
        section: "RFC 9002 §7.7",
        heldBytes: this.heldBytes,
        delayMicroseconds: this.nextAt - now,
        pacingRate: this.#rate * bitsPerSecond,
      },
      now,
    );
  }

  /** The time for what was held back may have come, by its timer or by whatever else happens late in the same moment. */
  expire(now: number): void {
    const due = this.#timers.deadline(timer.pacing);
    if (this.#timers.expire(timer.pacing, now)) this.noteLateness(now - due);
  }

  /** What was held back is looked at so late: all of that is made up for, or a process that waits for its processor would send a trickle. */
  noteLateness(microseconds: number): void {
    this.#lateness = Math.max(latenessMicroseconds, microseconds);
  }

  /** Bytes that may leave at once now; 0: nothing before `nextAt`. */
  burst(segmentSize: number, now: number): number {
    if (!this.enabled) return Number.POSITIVE_INFINITY;
    const room = now + burstMicroseconds - this.nextAt;
    return room <= 0 ? 0 : Math.max(segmentSize, Math.min(room, burstMicroseconds + this.#lateness) * this.#rate);
  }

  onSent(bytes: number, now: number): void {
    if (!this.enabled) return;
    this.nextAt = Math.max(this.nextAt, now - this.#lateness) + bytes / this.#rate;
    if (this.nextAt >= now - latenessMicroseconds) this.#lateness = latenessMicroseconds;
  }
}

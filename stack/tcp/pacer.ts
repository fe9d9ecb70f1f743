/**
 * Spreads what the congestion window allows over the round trip, so that no burst of it overflows a short queue (RFC 9002 §7.7; Linux's internal pacing). Faster
 * than the window alone, since it shall grow: twice in slow start, 1.2 times in congestion avoidance.
 */

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
  /** Bytes a microsecond. */
  #rate: number = Number.POSITIVE_INFINITY;
  #lateness = latenessMicroseconds;

  /** `smoothedRtt` 0: not measured. */
  update(congestionWindow: number, slowStartThreshold: number, smoothedRttMicroseconds: number): void {
    const gain = congestionWindow < slowStartThreshold ? slowStartGain : avoidanceGain;
    this.#rate =
      smoothedRttMicroseconds > 0 ? (gain * congestionWindow) / smoothedRttMicroseconds : Number.POSITIVE_INFINITY;
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

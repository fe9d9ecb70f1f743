/**
 * Whether a recovery was for nothing: everything that it sent again arrived twice (D-SACK, RFC 3708 §2), or the first acknowledgement was
 * caused by an original (timestamps: the Eifel detection, RFC 3522 §3.2).
 */

import type { TcpSegment } from "../wire/tcp-segment.ts";
import type { DuplicateSack } from "./duplicate-sack.ts";

export class SpuriousRecovery {
  #watching = false;
  /** The recovery is about what lies in between. */
  #start = 0;
  #end = 0;
  #retransmitted = 0;
  #duplicated = 0;
  #firstTimestamp = -1;
  #awaitsFirst = false;

  begin(unacknowledged: number, next: number): void {
    this.#watching = true;
    this.#start = unacknowledged;
    this.#end = next;
    this.#retransmitted = 0;
    this.#duplicated = 0;
    this.#firstTimestamp = -1;
    this.#awaitsFirst = true;
  }

  forget(): void {
    this.#watching = false;
  }

  /** `timestamp`: TSval of the retransmission, -1 without timestamps. */
  noteRetransmission(bytes: number, timestamp: number): void {
    if (!this.#watching) return;
    if (this.#retransmitted === 0) this.#firstTimestamp = timestamp;
    this.#retransmitted += bytes;
  }

  /** `duplicate`: of what was sent more than once; `progress`: the segment acknowledges something new cumulatively. */
  isProven(segment: TcpSegment, duplicate: DuplicateSack | undefined, progress: boolean): boolean {
    if (!this.#watching) return false;
    if (duplicate !== undefined && duplicate.start >= this.#start && duplicate.end <= this.#end)
      this.#duplicated += duplicate.length;
    if (this.#retransmitted > 0 && this.#duplicated >= this.#retransmitted) return true;
    if (!progress || !this.#awaitsFirst || this.#retransmitted === 0) return false;
    this.#awaitsFirst = false;
    return (
      this.#firstTimestamp >= 0 && segment.hasTimestamps && ((segment.timestampEcho - this.#firstTimestamp) | 0) < 0
    );
  }
}

/**
 * Whether a recovery was for nothing: everything that it sent again arrived twice (D-SACK, RFC 3708 §2), or the first acknowledgement was
 * caused by an original (timestamps: the Eifel detection, RFC 3522 §3.2).
 */

import type { TcpSegment } from "../wire/tcp-segment.ts";
import type { DuplicateSack } from "./duplicate-sack.ts";
import type { DecisionRecorder } from "./tcp-journal.ts";

export class SpuriousRecovery {
  readonly #trace: DecisionRecorder | undefined;
  #watching = false;
  /** The recovery is about what lies in between. */
  #start = 0;
  #end = 0;
  #retransmitted = 0;
  #duplicated = 0;
  #firstTimestamp = -1;
  #awaitsFirst = false;

  constructor(trace: DecisionRecorder | undefined) {
    this.#trace = trace;
  }

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

  /** `duplicate`: reported by the segment; `sentTwice`: we had sent it again; `progress`: the segment acknowledges something new cumulatively. */
  proof(
    segment: TcpSegment,
    duplicate: DuplicateSack,
    sentTwice: boolean,
    progress: boolean,
    now: number,
  ): "duplicates" | "timestamps" | undefined {
    if (duplicate.present) this.#noteDuplicate(duplicate, sentTwice, now);
    if (!this.#watching || this.#retransmitted === 0) return undefined;
    if (this.#duplicated >= this.#retransmitted) return "duplicates";
    if (!progress || !this.#awaitsFirst) return undefined;
    this.#awaitsFirst = false;
    const isOfOriginal =
      this.#firstTimestamp >= 0 && segment.hasTimestamps && ((segment.timestampEcho - this.#firstTimestamp) | 0) < 0;
    return isOfOriginal ? "timestamps" : undefined;
  }

  #noteDuplicate({ start, end, length }: DuplicateSack, sentTwice: boolean, now: number): void {
    const counts = this.#watching && sentTwice && start >= this.#start && end <= this.#end;
    if (counts) this.#duplicated += length;
    this.#trace?.(
      {
        name: "recovery:duplicate-reported",
        section: "RFC 3708 §2",
        start,
        end,
        counts,
        duplicatedBytes: this.#duplicated,
        retransmittedBytes: this.#retransmitted,
      },
      now,
    );
  }
}

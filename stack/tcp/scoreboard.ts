/** What is acknowledged selectively, what counts as lost, what is in flight (RFC 6675 §3). */

import { SackBlocks } from "./sack-blocks.ts";
import { SentQueue, type SentRange } from "./sent-queue.ts";

export interface ScoreboardObserver {
  /** The peer has `range`, which had not been acknowledged in any way. */
  onDelivered(range: SentRange, now: number): void;
  /** `range` leaves the queue: cumulatively acknowledged up to `end`. */
  onRangeAcknowledged(range: SentRange, end: number): void;
}

export class Scoreboard {
  readonly queue: SentQueue = new SentQueue();
  sackedBytes = 0;
  lostBytes = 0;
  readonly #observer: ScoreboardObserver;
  readonly #sackBlocks = new SackBlocks();
  /** No range before this one is lost. */
  #lostHint: SentRange | undefined;

  constructor(observer: ScoreboardObserver) {
    this.#observer = observer;
  }

  noteSent(range: SentRange, now: number): void {
    this.#unmarkLost(range);
    this.queue.markSent(range, now);
  }

  /** Everything before `offset` has arrived. */
  acknowledge(offset: number, now: number): void {
    for (let range = this.queue.head; range !== undefined && range.start < offset; range = this.queue.head) {
      if (range.end > offset) this.queue.split(range, offset);
      if (range.sacked) this.sackedBytes -= range.length;
      else this.#observer.onDelivered(range, now);
      this.#unmarkLost(range);
      // Ranges that were lost with it still are: a later one that is lost as well must not hide them.
      if (this.#lostHint === range) this.#lostHint = range.next;
      this.#observer.onRangeAcknowledged(range, range.end);
      this.queue.removeHead();
    }
  }

  /** `left` … `right` have arrived out of order. */
  sack(left: number, right: number, now: number): void {
    const known = this.#sackBlocks.beginningAt(left);
    if (right <= known.right) return;
    let range = known.following?.start === known.right ? known.following : this.queue.head;
    for (; range !== undefined && range.start < right; range = range.next) {
      if (range.end <= left || range.sacked) continue;
      if (range.start < left) {
        this.queue.split(range, left);
        continue;
      }
      if (range.end > right) this.queue.split(range, right);
      this.#observer.onDelivered(range, now);
      this.#unmarkLost(range);
      range.sacked = true;
      this.sackedBytes += range.length;
      this.queue.leaveSentOrder(range);
    }
    known.right = right;
    known.following = range;
  }

  markLost(range: SentRange): void {
    range.lost = true;
    this.lostBytes += range.length;
    this.queue.leaveSentOrder(range);
    if (this.#lostHint === undefined || range.start < this.#lostHint.start) this.#lostHint = range;
  }

  /** What was declared lost has only been late: it is in flight again. */
  restoreLost(): void {
    for (let range = this.queue.tail; range !== undefined; range = range.previous) {
      if (!range.lost) continue;
      this.#unmarkLost(range);
      this.queue.returnToSentOrder(range);
    }
    this.#lostHint = undefined;
  }

  /** The peer may have dropped what it had acknowledged selectively (RFC 2018 §8). */
  forgetSacks(): void {
    this.#sackBlocks.clear();
    for (let range = this.queue.head; range !== undefined; range = range.next) {
      if (!range.sacked) continue;
      range.sacked = false;
      this.sackedBytes -= range.length;
      this.queue.returnToSentOrder(range);
    }
  }

  wasSentAgain(offset: number): boolean {
    for (let range = this.queue.head; range !== undefined && range.start <= offset; range = range.next)
      if (offset < range.end) return range.transmissions > 1;
    return false;
  }

  /** The first lost range, cut to at most `limit` bytes, or undefined. */
  nextLost(limit: number): SentRange | undefined {
    if (this.lostBytes === 0) return undefined;
    let range = this.#lostHint ?? this.queue.head;
    while (range !== undefined && !range.lost) range = range.next;
    this.#lostHint = range;
    if (range !== undefined && range.length > limit) this.queue.split(range, range.start + limit);
    return range;
  }

  /** The last range, cut to its last `limit` bytes: what a tail loss probe sends (RFC 8985 §7.3). */
  lastForProbe(limit: number): SentRange | undefined {
    const range = this.queue.tail;
    if (range === undefined || range.sacked || range.lost) return undefined;
    if (range.length <= limit) return range;
    this.queue.split(range, range.end - limit);
    return range.next;
  }

  clear(): void {
    this.queue.clear();
    this.#sackBlocks.clear();
    this.#lostHint = undefined;
    this.sackedBytes = 0;
    this.lostBytes = 0;
  }

  #unmarkLost(range: SentRange): void {
    if (!range.lost) return;
    range.lost = false;
    this.lostBytes -= range.length;
  }
}

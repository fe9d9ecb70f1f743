/** The receive side of a subflow: reordering, selective acknowledgements (RFC 2018), and when to acknowledge (RFC 9293 §3.8.6.3, RFC 5681 §4.2). */

import { type SequenceNumber, sequenceNumber, wrapOffset } from "../wire/sequence.ts";
import type { TcpSegment } from "../wire/tcp-segment.ts";
import { timer, type TimerTable } from "./timers.ts";

const delayedAckMicroseconds = 40_000;
const initialQuickAcks = 16;

/** In-order payload goes here; the bytes are only lent. */
export type PayloadSink = (offset: number, bytes: Uint8Array, byteOffset: number, length: number, now: number) => void;

interface OutOfOrder {
  start: number;
  end: number;
  /** Own copy of the payload. */
  bytes: Uint8Array;
}

interface SackBlock {
  start: number;
  end: number;
  /** Larger is more recent. */
  updated: number;
}

export class Receiver {
  initialSequence: SequenceNumber = sequenceNumber(0);
  /** RCV.NXT as an offset; the peer's SYN is offset 0. */
  next = 0;
  /** The offset of the peer's FIN, once seen; Infinity before. */
  finOffset: number = Number.POSITIVE_INFINITY;
  bytesReceived = 0;
  ackNeeded = false;

  readonly #timers: TimerTable;
  readonly #sink: PayloadSink;
  #outOfOrder: OutOfOrder[] = [];
  #blocks: SackBlock[] = [];
  #updates = 0;
  /** What the next acknowledgement reports by D-SACK; end 0: nothing. */
  #duplicateStart = 0;
  #duplicateEnd = 0;
  #quickAcks = initialQuickAcks;
  #unacknowledgedBytes = 0;
  /** The largest segment seen: the peer's effective MSS. */
  #segmentSize = 536;
  /** Receive bound for out-of-order copies. */
  outOfOrderBytes = 0;

  constructor(timers: TimerTable, sink: PayloadSink) {
    this.#timers = timers;
    this.#sink = sink;
  }

  /** `start` is the offset of the segment's first payload byte; `edge` the first offset beyond the window. */
  receive(segment: TcpSegment, start: number, edge: number, now: number): void {
    let offset = segment.payloadOffset;
    let length = segment.payloadLength;
    if (length === 0) return;
    const skipped = this.next - start;
    if (skipped >= length) {
      this.#noteDuplicate(start, start + length);
      this.ackNeeded = true; // A duplicate: its acknowledgement was lost, or it was sent again for nothing.
      return;
    }
    if (skipped > 0) {
      this.#noteDuplicate(start, this.next);
      start += skipped;
      offset += skipped;
      length -= skipped;
    }
    if (start + length > edge) length = edge - start;
    if (length <= 0) {
      this.ackNeeded = true;
      return;
    }
    if (start > this.next) {
      this.#keep(start, segment.payload, offset, length);
      this.ackNeeded = true;
      return;
    }
    const hadHoles = this.#outOfOrder.length > 0;
    this.next = start + length;
    this.bytesReceived += length;
    this.#sink(start, segment.payload, offset, length, now);
    if (hadHoles) this.#release(now);
    this.#considerAck(length, hadHoles, now);
  }

  /** The acknowledgement went out, on whatever segment. */
  noteAckSent(): void {
    this.ackNeeded = false;
    this.#duplicateEnd = 0;
    this.#unacknowledgedBytes = 0;
    this.#timers.stop(timer.delayedAck);
  }

  /** Fills in at most `limit` SACK blocks: what came twice (RFC 2883 §4), then the most recent first (RFC 2018 §4). */
  writeSackBlocks(segment: TcpSegment, limit: number): void {
    segment.sackCount = 0;
    if (limit > 0 && this.#duplicateEnd > 0) this.#writeBlock(segment, this.#duplicateStart, this.#duplicateEnd);
    if (this.#blocks.length > 1) this.#blocks.sort((a, b) => b.updated - a.updated);
    for (let i = 0; i < this.#blocks.length && segment.sackCount < limit; i++) {
      this.#writeBlock(segment, this.#blocks[i]!.start, this.#blocks[i]!.end);
    }
  }

  /** What there is to say beyond the cumulative acknowledgement. */
  get sackBlockCount(): number {
    return this.#blocks.length + (this.#duplicateEnd > 0 ? 1 : 0);
  }

  release(): void {
    this.#outOfOrder = [];
    this.#blocks = [];
    this.outOfOrderBytes = 0;
  }

  #writeBlock(segment: TcpSegment, start: number, end: number): void {
    const at = 2 * segment.sackCount++;
    segment.sackEdges[at] = wrapOffset(this.initialSequence, start);
    segment.sackEdges[at + 1] = wrapOffset(this.initialSequence, end);
  }

  /** `start` … `end` has come before; the next acknowledgement says so, once. */
  #noteDuplicate(start: number, end: number): void {
    if (end === this.next && end - start === 1) return; // A keep-alive's byte (RFC 9293 §3.8.4) is nobody's data.
    this.#duplicateStart = Math.max(1, start);
    this.#duplicateEnd = end;
  }

  #considerAck(length: number, hadHoles: boolean, now: number): void {
    this.#unacknowledgedBytes += length;
    if (length > this.#segmentSize) this.#segmentSize = Math.min(length, 1460);
    // A full segment and anything after it, as Linux: were the end of a burst to wait, its sender would probe for it (RFC 8985 §7.2 waits for one segment, not for the last of two).
    if (hadHoles || this.#quickAcks > 0 || this.#unacknowledgedBytes > this.#segmentSize) {
      if (this.#quickAcks > 0) this.#quickAcks--;
      this.ackNeeded = true;
    } else if (!this.#timers.isSet(timer.delayedAck)) {
      this.#timers.set(timer.delayedAck, now + delayedAckMicroseconds);
    }
  }

  #keep(start: number, payload: Uint8Array, offset: number, length: number): void {
    this.#noteBlock(start, start + length);
    const queue = this.#outOfOrder;
    let at = queue.length;
    while (at > 0 && queue[at - 1]!.start > start) at--;
    // Only what nobody holds yet is copied.
    let end = start + length;
    const before = queue[at - 1];
    if (before !== undefined && before.end > start) {
      this.#noteDuplicate(start, Math.min(before.end, end));
      const skip = before.end - start;
      if (skip >= length) return;
      start += skip;
      offset += skip;
    }
    while (at < queue.length && queue[at]!.end <= end) {
      this.#noteDuplicate(queue[at]!.start, queue[at]!.end);
      this.outOfOrderBytes -= queue[at]!.bytes.length;
      queue.splice(at, 1);
    }
    const after = queue[at];
    if (after !== undefined && after.start < end) end = after.start;
    if (end <= start) return;
    queue.splice(at, 0, { start, end, bytes: payload.slice(offset, offset + (end - start)) });
    this.outOfOrderBytes += end - start;
  }

  #release(now: number): void {
    const queue = this.#outOfOrder;
    let taken = 0;
    for (const piece of queue) {
      if (piece.start > this.next) break;
      taken++;
      this.outOfOrderBytes -= piece.bytes.length;
      if (piece.end <= this.next) continue;
      const skip = this.next - piece.start;
      const start = this.next;
      this.next = piece.end;
      this.bytesReceived += piece.end - start;
      this.#sink(start, piece.bytes, skip, piece.bytes.length - skip, now);
    }
    if (taken > 0) queue.splice(0, taken);
    this.#blocks = this.#blocks.filter((block) => block.end > this.next);
  }

  #noteBlock(start: number, end: number): void {
    const kept: SackBlock[] = [];
    for (const block of this.#blocks) {
      if (block.end < start || block.start > end) kept.push(block);
      else {
        start = Math.min(start, block.start);
        end = Math.max(end, block.end);
      }
    }
    kept.push({ start, end, updated: ++this.#updates });
    this.#blocks = kept;
  }
}

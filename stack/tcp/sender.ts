/** The send side of a subflow: what is in flight, what is lost, what may be sent. RFC 9293 §3.8, RFC 6675 (scoreboard), RFC 8985 (RACK-TLP), RFC 6582 without SACK. */

import type { CongestionControl } from "../congestion/congestion-control.ts";
import { unwrapSequence, sequenceNumber, type SequenceNumber } from "../wire/sequence.ts";
import type { TcpSegment } from "../wire/tcp-segment.ts";
import { Rack } from "./rack.ts";
import { RttEstimator } from "./rtt-estimator.ts";
import { SentQueue, type SentRange } from "./sent-queue.ts";
import { timer, type TimerTable } from "./timers.ts";

const duplicateThreshold = 3;
/** RFC 8985 §7.2: how long the peer may delay the acknowledgement of a single segment. */
const delayedAckAllowance = 50_000;

export interface SenderObserver {
  /** `range` is acknowledged up to `end` (an offset inside it or its end). */
  onRangeAcknowledged(range: SentRange, end: number): void;
  onRttSample(rttMicroseconds: number, now: number): void;
  onFastRetransmit(lostBytes: number, now: number): void;
  onRetransmissionTimeout(timeoutMicroseconds: number, now: number): void;
}

export class Sender {
  /** SND.UNA, SND.NXT as offsets; the SYN is offset 0. */
  unacknowledged = 0;
  next = 0;
  /** First offset beyond the peer's window: SND.UNA + SND.WND, never moved back. */
  windowEdge = 0;
  initialSequence: SequenceNumber = sequenceNumber(0);
  sackPermitted = false;
  maximumSegmentSize = 536;

  retransmissions = 0;
  rtoCount = 0;
  consecutiveTimeouts = 0;
  bytesAcked = 0;

  readonly congestion: CongestionControl;
  readonly rtt: RttEstimator = new RttEstimator();
  readonly queue: SentQueue = new SentQueue();
  /** Upper bound of the timeout: a subflow that others stand in for is probed more often than RFC 6298 (5.5) would. */
  timeoutLimit: number = Number.POSITIVE_INFINITY;

  readonly #observer: SenderObserver;
  readonly #timers: TimerTable;
  readonly #rack = new Rack();
  #sackedBytes = 0;
  #lostBytes = 0;
  /** No range before this one is lost. */
  #lostHint: SentRange | undefined;
  #duplicateAcks = 0;
  #recovery: "open" | "recovery" | "loss" = "open";
  #recoveryPoint = 0;
  #probeOutstanding = false;
  #lastSentAt = 0;

  constructor(congestion: CongestionControl, timers: TimerTable, observer: SenderObserver) {
    this.congestion = congestion;
    this.#timers = timers;
    this.#observer = observer;
  }

  get bytesInFlight(): number {
    return this.next - this.unacknowledged - this.#sackedBytes - this.#lostBytes;
  }

  get outstanding(): number {
    return this.next - this.unacknowledged;
  }

  get inRecovery(): boolean {
    return this.#recovery !== "open";
  }

  get hasLost(): boolean {
    return this.#lostBytes > 0;
  }

  /** What the congestion window allows beyond what is in flight. */
  get congestionSpace(): number {
    return Math.floor(this.congestion.congestionWindow) - this.bytesInFlight;
  }

  get timeout(): number {
    return Math.min(this.rtt.timeout, Math.max(this.timeoutLimit, 2 * this.rtt.smoothed));
  }

  /** A range was sent (again): counts, order of time, timers. */
  noteTransmission(range: SentRange, now: number): void {
    if (range.transmissions > 0) this.retransmissions++;
    if (range.lost) {
      range.lost = false;
      this.#lostBytes -= range.length;
    }
    this.queue.markSent(range, now);
    this.#lastSentAt = now;
    if (!this.#timers.isSet(timer.retransmission)) this.#timers.set(timer.retransmission, now + this.timeout);
    this.#armProbe(now);
  }

  /** Before new data after a pause (RFC 5681 §4.1). */
  noteIdle(now: number): void {
    if (this.outstanding === 0 && this.#lastSentAt > 0 && now - this.#lastSentAt > this.timeout)
      this.congestion.onIdle();
  }

  /** A new range at the end of the stream; the caller fills in its payload and mapping and transmits it. */
  append(length: number): SentRange {
    const range = this.queue.append(this.next, this.next + length);
    this.next += length;
    return range;
  }

  /** The first lost range, cut to at most `limit` bytes, or undefined. */
  nextLost(limit: number): SentRange | undefined {
    if (this.#lostBytes === 0) return undefined;
    let range = this.#lostHint ?? this.queue.head;
    while (range !== undefined && !range.lost) range = range.next;
    this.#lostHint = range;
    if (range !== undefined && range.length > limit) this.queue.split(range, range.start + limit);
    return range;
  }

  /** The last range, cut to its last `limit` bytes: what a tail loss probe sends (RFC 8985 §7.3). */
  lastForProbe(limit: number): SentRange | undefined {
    const range = this.queue.tail;
    if (range === undefined || range.sacked) return undefined;
    if (range.length <= limit) return range;
    this.queue.split(range, range.end - limit);
    return range.next;
  }

  /** An acceptable acknowledgement: `acknowledged` lies between SND.UNA and SND.NXT. `windowLimited` as for CongestionControl. */
  handleAcknowledgement(segment: TcpSegment, acknowledged: number, isDuplicate: boolean, now: number): void {
    const inFlightBefore = this.bytesInFlight;
    const newlyAcknowledged = acknowledged - this.unacknowledged;
    const rack = this.#rack;
    rack.beginAcknowledgement();
    if (this.sackPermitted) this.#markSacked(segment, acknowledged, now);
    this.#removeAcknowledged(acknowledged, now);
    if (rack.rttSample > 0) {
      this.rtt.sample(rack.rttSample);
      this.congestion.onRttSample(rack.rttSample, acknowledged, this.next);
      this.#observer.onRttSample(rack.rttSample, now);
    }

    if (newlyAcknowledged > 0) {
      this.bytesAcked += newlyAcknowledged;
      this.#duplicateAcks = 0;
      this.consecutiveTimeouts = 0;
      this.rtt.resetBackoff();
      this.#probeOutstanding = false;
    } else if (isDuplicate) {
      this.#duplicateAcks++;
    }

    const wasInRecovery = this.#recovery;
    if (wasInRecovery !== "open" && acknowledged >= this.#recoveryPoint) this.#recovery = "open";
    if (this.sackPermitted) this.#detectBySack(now);
    else this.#detectByDuplicates(newlyAcknowledged, wasInRecovery, now);

    if (newlyAcknowledged > 0 && wasInRecovery !== "recovery" && this.#recovery !== "recovery") {
      const windowLimited =
        wasInRecovery === "loss" ||
        inFlightBefore + 2 * this.maximumSegmentSize >= this.congestion.congestionWindow ||
        (this.congestion.congestionWindow < this.congestion.slowStartThreshold &&
          2 * inFlightBefore >= this.congestion.congestionWindow);
      this.congestion.onAcknowledged(newlyAcknowledged, windowLimited, this.rtt.smoothed, now);
    }
    this.#rearm(newlyAcknowledged > 0 || rack.delivered, now);
  }

  /** RACK's reordering window has passed (RFC 8985 §6.2). */
  handleReorderingTimeout(now: number): void {
    this.#detectBySack(now);
  }

  /** RFC 6298 (5.4)–(5.7), RFC 8985 §6.3: everything that is not selectively acknowledged counts as lost. */
  handleRetransmissionTimeout(now: number): void {
    const timeout = this.timeout;
    this.rtoCount++;
    this.consecutiveTimeouts++;
    this.congestion.onRetransmissionTimeout(this.#recovery === "loss");
    this.#recovery = "loss";
    this.#recoveryPoint = this.next;
    this.#duplicateAcks = 0;
    for (let range = this.queue.head; range !== undefined; range = range.next) {
      if (!range.sacked && !range.lost) this.#markLost(range);
    }
    this.#lostHint = undefined;
    this.rtt.backOff();
    this.#probeOutstanding = false;
    this.#timers.stop(timer.lossProbe);
    this.#timers.stop(timer.reordering);
    this.#timers.set(timer.retransmission, now + this.timeout);
    this.#observer.onRetransmissionTimeout(timeout, now);
  }

  /** A probe was sent; the retransmission timer takes over. */
  noteProbe(now: number): void {
    this.#probeOutstanding = true;
    this.#timers.stop(timer.lossProbe);
    this.#timers.set(timer.retransmission, now + this.timeout);
  }

  /** Shortens a running retransmission timer to the present limit. */
  applyTimeoutLimit(now: number): void {
    if (this.#timers.isSet(timer.retransmission)) {
      const limited = now + this.timeout;
      if (limited < this.#timers.deadline(timer.retransmission)) this.#timers.set(timer.retransmission, limited);
    }
  }

  release(): void {
    this.queue.clear();
    this.#lostHint = undefined;
    this.#sackedBytes = 0;
    this.#lostBytes = 0;
    this.unacknowledged = this.next;
    this.congestion.release();
  }

  #markSacked(segment: TcpSegment, acknowledged: number, now: number): void {
    for (let i = 0; i < segment.sackCount; i++) {
      const left = this.#unwrap(segment.sackEdges[2 * i]!);
      const right = this.#unwrap(segment.sackEdges[2 * i + 1]!);
      // Below the cumulative acknowledgement it is a D-SACK (RFC 2883); beyond what was sent it is nonsense.
      if (left >= right || left < acknowledged || right > this.next) continue;
      for (let range = this.queue.head; range !== undefined && range.start < right; range = range.next) {
        if (range.end <= left || range.sacked) continue;
        if (range.start < left) {
          this.queue.split(range, left);
          continue;
        }
        if (range.end > right) this.queue.split(range, right);
        this.#rack.onDelivered(range, now);
        if (range.lost) {
          range.lost = false;
          this.#lostBytes -= range.length;
        }
        range.sacked = true;
        this.#sackedBytes += range.length;
        this.queue.leaveSentOrder(range);
      }
    }
  }

  #removeAcknowledged(acknowledged: number, now: number): void {
    for (let range = this.queue.head; range !== undefined && range.start < acknowledged; range = this.queue.head) {
      if (range.end > acknowledged) this.queue.split(range, acknowledged);
      if (range.sacked) this.#sackedBytes -= range.length;
      else this.#rack.onDelivered(range, now);
      if (range.lost) this.#lostBytes -= range.length;
      if (this.#lostHint === range) this.#lostHint = undefined;
      this.#observer.onRangeAcknowledged(range, range.end);
      this.queue.removeHead();
    }
    if (acknowledged > this.unacknowledged) this.unacknowledged = acknowledged;
  }

  #detectBySack(now: number): void {
    if (this.#sackedBytes === 0 && this.#recovery === "open") {
      this.#timers.stop(timer.reordering);
      return;
    }
    const manySacked = this.#sackedBytes >= duplicateThreshold * this.maximumSegmentSize;
    const wait = this.#rack.findLost(this.queue, this.rtt, manySacked || this.inRecovery, now, (range) =>
      this.#markLost(range),
    );
    if (wait > 0) this.#timers.set(timer.reordering, now + wait);
    else this.#timers.stop(timer.reordering);
    this.#enterRecoveryIfLost(now);
  }

  /** Without SACK: three duplicate acknowledgements, then each partial one, tell of one lost segment (RFC 6582 §3.2). */
  #detectByDuplicates(newlyAcknowledged: number, wasInRecovery: string, now: number): void {
    const head = this.queue.head;
    if (head === undefined || head.lost) return;
    const partial = newlyAcknowledged > 0 && wasInRecovery === "recovery" && this.#recovery === "recovery";
    const third = this.#duplicateAcks === duplicateThreshold && this.#recovery === "open";
    if (!partial && !third) return;
    if (head.length > this.maximumSegmentSize) this.queue.split(head, head.start + this.maximumSegmentSize);
    this.#markLost(head);
    this.#enterRecoveryIfLost(now);
  }

  #enterRecoveryIfLost(now: number): void {
    if (this.#lostBytes === 0 || this.#recovery !== "open") return;
    this.#recovery = "recovery";
    this.#recoveryPoint = this.next;
    this.congestion.onLoss();
    this.#observer.onFastRetransmit(this.#lostBytes, now);
  }

  #markLost(range: SentRange): void {
    range.lost = true;
    this.#lostBytes += range.length;
    this.queue.leaveSentOrder(range);
    if (this.#lostHint === undefined || range.start < this.#lostHint.start) this.#lostHint = range;
  }

  #rearm(progress: boolean, now: number): void {
    if (this.outstanding === 0) {
      this.#timers.stop(timer.retransmission);
      this.#timers.stop(timer.lossProbe);
      this.#timers.stop(timer.reordering);
    } else if (progress) {
      this.#timers.set(timer.retransmission, now + this.timeout);
      this.#armProbe(now);
    }
  }

  /** RFC 8985 §7.2: a probe after two round trips of silence, unless recovery is under way or a probe is out. */
  #armProbe(now: number): void {
    if (
      !this.sackPermitted ||
      this.#probeOutstanding ||
      this.inRecovery ||
      this.#sackedBytes > 0 ||
      this.rtt.smoothed === 0
    ) {
      this.#timers.stop(timer.lossProbe);
      return;
    }
    let wait = 2 * this.rtt.smoothed + 2_000;
    if (this.outstanding <= this.maximumSegmentSize) wait += delayedAckAllowance;
    if (wait < this.timeout) this.#timers.set(timer.lossProbe, now + wait);
    else this.#timers.stop(timer.lossProbe);
  }

  #unwrap(value: number): number {
    return unwrapSequence(sequenceNumber(value), this.initialSequence, this.unacknowledged);
  }
}

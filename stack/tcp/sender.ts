/** The send side of a subflow: what is in flight, what may be sent, its timers. RFC 9293 §3.8, RFC 6298, RFC 6675 §4; what is lost: loss-recovery.ts. */

import type { CongestionControl } from "../congestion/congestion-control.ts";
import { unwrapSequence, sequenceNumber, type SequenceNumber } from "../wire/sequence.ts";
import type { TcpSegment } from "../wire/tcp-segment.ts";
import { CongestionResponse } from "./congestion-response.ts";
import { DuplicateSack } from "./duplicate-sack.ts";
import { LossRecovery, type RecoveryObserver, type RecoveryPhase, type SendSequence } from "./loss-recovery.ts";
import { Pacer } from "./pacer.ts";
import { Rack } from "./rack.ts";
import { RttEstimator } from "./rtt-estimator.ts";
import { Scoreboard } from "./scoreboard.ts";
import type { SentQueue, SentRange } from "./sent-queue.ts";
import { TailLossProbe } from "./tail-loss-probe.ts";
import { timer, type TimerTable } from "./timers.ts";
import type { TimestampClock } from "./timestamp-clock.ts";

/** The beginning of a connection is no burst: the initial window may leave at once (RFC 6928 §2, RFC 9002 §7.7). */
const unpacedSegments = 10;
/** RFC 8985 §7.2: how long the peer may delay the acknowledgement of a single segment. */
const delayedAckAllowance = 50_000;

export interface SenderObserver extends RecoveryObserver {
  /** `range` is acknowledged up to `end` (an offset inside it or its end). */
  onRangeAcknowledged(range: SentRange, end: number): void;
  onRttSample(rttMicroseconds: number, now: number): void;
  onRetransmissionTimeout(timeoutMicroseconds: number, now: number): void;
}

/** RFC 7661 §4.2: the non-validated period. */
const windowValidityMicroseconds = 300_000_000;

export class Sender implements SendSequence {
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
  /** A tail loss probe is to be sent: new data, or else the last segment again. */
  probeDue = false;
  /** Upper bound of the timeout: a subflow that others stand in for is probed more often than RFC 6298 (5.5) would. */
  timeoutLimit: number = Number.POSITIVE_INFINITY;

  /** Cleared where the present acknowledgement tells of congestion: the window does not grow by it (RFC 3168 §6.1.2). */
  mayGrow = true;

  readonly pacer: Pacer;

  readonly #observer: SenderObserver;
  readonly #timers: TimerTable;
  readonly #timestamps: TimestampClock;
  readonly #response: CongestionResponse;
  readonly #scoreboard: Scoreboard;
  readonly #rack = new Rack(this.rtt);
  readonly #probe = new TailLossProbe();
  readonly #duplicateSack = new DuplicateSack();
  readonly #recovery: LossRecovery;
  #lastSentAt = 0;

  constructor(congestion: CongestionControl, timers: TimerTable, timestamps: TimestampClock, observer: SenderObserver) {
    this.congestion = congestion;
    this.#response = new CongestionResponse(congestion);
    this.#timers = timers;
    this.pacer = new Pacer(timers);
    this.#timestamps = timestamps;
    this.#observer = observer;
    const rack = this.#rack;
    this.#scoreboard = new Scoreboard({
      onDelivered: (range, now) => rack.onDelivered(range, now),
      onRangeAcknowledged: (range, end) => observer.onRangeAcknowledged(range, end),
    });
    this.#recovery = new LossRecovery(this, this.#scoreboard, rack, this.#response, timers, observer);
  }

  get queue(): SentQueue {
    return this.#scoreboard.queue;
  }

  /** What the peer has or the path has lost does not count (RFC 6675 §4, SetPipe). */
  get bytesInFlight(): number {
    return this.outstanding - this.#scoreboard.lostBytes - this.#recovery.deliveredBeyond;
  }

  get outstanding(): number {
    return this.next - this.unacknowledged;
  }

  get inRecovery(): boolean {
    return !this.#recovery.isOpen;
  }

  get recoveryPhase(): RecoveryPhase {
    return this.#recovery.phase;
  }

  get sackedBytes(): number {
    return this.#scoreboard.sackedBytes;
  }

  get lostBytes(): number {
    return this.#scoreboard.lostBytes;
  }

  /** Something lost is to be sent again before anything new. */
  get hasLost(): boolean {
    return this.#scoreboard.lostBytes > 0 && !this.#recovery.forwardRto.prefersNewData;
  }

  /** The first lost range goes out now, whatever the window says: a timeout asks for it, or nothing is in flight. */
  get mustRetransmit(): boolean {
    return this.#recovery.retransmissionForced || this.bytesInFlight <= 0;
  }

  /** What the congestion window, or in recovery the rate reduction, allows beyond what is in flight. */
  get congestionSpace(): number {
    if (this.#recovery.phase === "recovery") return this.#recovery.allowance;
    return Math.floor(this.congestion.congestionWindow) - this.bytesInFlight;
  }

  get timeout(): number {
    return Math.min(this.rtt.timeout, Math.max(this.timeoutLimit, 2 * this.rtt.smoothed));
  }

  /** A range was sent (again): counts, order of time, timers. */
  noteTransmission(range: SentRange, now: number): void {
    const again = range.transmissions > 0;
    if (again) this.retransmissions++;
    this.#recovery.noteTransmission(range.length, again, again ? this.#timestamps.valueAt(now) : -1);
    this.#scoreboard.noteSent(range, now);
    this.#lastSentAt = now;
    if (range.end > unpacedSegments * this.maximumSegmentSize) this.pacer.onSent(range.length, now);
    if (!this.#timers.isSet(timer.retransmission)) this.#timers.set(timer.retransmission, now + this.timeout);
    this.#armProbe(now);
  }

  /**
   * Before new data after a pause. A window that grew only where it was the limit stays valid over pauses (RFC 7661 §4.2): an application that sends in bursts would
   * else begin each of them with ten segments (RFC 5681 §4.1) and find the faster path full.
   */
  noteIdle(now: number): void {
    if (this.outstanding === 0 && this.#lastSentAt > 0 && now - this.#lastSentAt > windowValidityMicroseconds)
      this.congestion.onIdle();
  }

  /** How much of `allowed` bytes may leave at once now. F-RTO does not wait: it would take that for a lack of data (RFC 5682 §2.1 step 2b). */
  pace(allowed: number, size: number, now: number): number {
    return this.#recovery.forwardRto.prefersNewData ? allowed : this.pacer.pace(allowed, size, now);
  }

  /** A new range at the end of the stream; the caller fills in its payload and mapping and transmits it. */
  append(length: number): SentRange {
    const range = this.#scoreboard.queue.append(this.next, this.next + length);
    this.next += length;
    this.#response.onSent(this.outstanding);
    return range;
  }

  /** What went out with the SYN and was not taken goes out again at once; that is no congestion (RFC 7413 §4.2.1). */
  resendOutstanding(): void {
    for (let range = this.queue.head; range !== undefined; range = range.next)
      if (!range.lost) this.#scoreboard.markLost(range);
  }

  nextLost(limit: number): SentRange | undefined {
    return this.#scoreboard.nextLost(limit);
  }

  lastForProbe(limit: number): SentRange | undefined {
    return this.#scoreboard.lastForProbe(limit);
  }

  /** No new data came to be sent in F-RTO (RFC 5682 §2.1 step 2b): what is lost is sent again. */
  endForwardRtoWithoutNewData(): void {
    this.#recovery.forwardRto.stopWithoutNewData(this.next);
  }

  /** An acceptable acknowledgement: `acknowledged` lies between SND.UNA and SND.NXT. */
  handleAcknowledgement(segment: TcpSegment, acknowledged: number, isDuplicate: boolean, now: number): void {
    const inFlightBefore = this.bytesInFlight;
    const deliveredBefore = this.unacknowledged + this.#recovery.deliveredBeyond;
    const sackedBefore = this.#scoreboard.sackedBytes;
    const newlyAcknowledged = acknowledged - this.unacknowledged;
    const progress = newlyAcknowledged > 0;
    const rack = this.#rack;
    rack.beginAcknowledgement();
    this.#scoreboard.acknowledge(acknowledged, now);
    this.unacknowledged = acknowledged;
    this.#response.onAcknowledged(acknowledged, this.next);
    this.#duplicateSack.present = false;
    if (this.sackPermitted) this.#readSackBlocks(segment, acknowledged, now);
    if (rack.rttSample > 0) {
      this.rtt.sample(rack.rttSample, now);
      this.congestion.onRttSample(rack.rttSample, acknowledged, this.next);
      this.#observer.onRttSample(rack.rttSample, now);
    }
    if (progress) {
      this.bytesAcked += newlyAcknowledged;
      this.consecutiveTimeouts = 0;
      this.rtt.resetBackoff();
    }
    const recovery = this.#recovery;
    recovery.countDuplicates(newlyAcknowledged, isDuplicate);
    const before = recovery.phase;
    recovery.judge(segment, this.#duplicateSack, progress, this.#scoreboard.sackedBytes > sackedBefore, now);
    if (this.#probe.repairedLoss(acknowledged, this.#duplicateSack, isDuplicate && segment.sackCount === 0))
      recovery.onRepairedLoss(now);
    if (this.sackPermitted) recovery.detectBySack("acknowledgement", now);
    else recovery.detectByDuplicates(progress, before, now);

    if (recovery.phase === "recovery")
      recovery.reduceRate(this.unacknowledged + recovery.deliveredBeyond - deliveredBefore);
    else if (progress && this.mayGrow && before !== "recovery") {
      const windowLimited =
        before === "loss" ||
        inFlightBefore + 2 * this.maximumSegmentSize >= this.congestion.congestionWindow ||
        (this.congestion.congestionWindow < this.congestion.slowStartThreshold &&
          2 * inFlightBefore >= this.congestion.congestionWindow);
      this.congestion.onAcknowledged(newlyAcknowledged, windowLimited, this.rtt.smoothed, now);
    }
    if (this.pacer.enabled)
      this.pacer.update(this.congestion.congestionWindow, this.congestion.slowStartThreshold, this.rtt.smoothed);
    this.#rearm(progress || rack.delivered, now);
  }

  /** The window has been reduced in this round trip. */
  get hasReduced(): boolean {
    return this.#response.hasReduced(this.unacknowledged);
  }

  /** Half the window, at most once in a round trip, for a reason that is not of this path. */
  halveWindow(): void {
    if (!this.inRecovery) this.#response.halve(this.unacknowledged, this.next);
  }

  /** The path says that it is congested (RFC 3168 §6.1.2): as a loss, but nothing has to be sent again. A loss in the same round trip has been answered. */
  handleCongestionMark(): void {
    if (this.#recovery.isOpen) this.#response.reduce(this.unacknowledged, this.next);
  }

  /** The path takes no more than `size` bytes a segment: what is larger goes out again in pieces; that is no congestion (RFC 1191 §6.5). */
  reduceSegmentSize(size: number): void {
    this.maximumSegmentSize = size;
    this.congestion.setMaximumSegmentSize(size);
    for (let range = this.queue.head; range !== undefined; range = range.next)
      if (!range.sacked && !range.lost && range.length > size) this.#scoreboard.markLost(range);
  }

  /** RACK's reordering window has passed (RFC 8985 §6.2). */
  handleReorderingTimeout(now: number): void {
    this.#recovery.detectBySack("reordering-timer", now);
    if (this.#recovery.phase === "recovery") this.#recovery.reduceRate(0);
  }

  /** RFC 6298 (5.4)–(5.7), RFC 8985 §6.3. */
  handleRetransmissionTimeout(now: number): void {
    const timeout = this.timeout;
    this.rtoCount++;
    this.consecutiveTimeouts++;
    this.#recovery.onRetransmissionTimeout(now);
    this.rtt.backOff();
    this.#probe.forget();
    this.probeDue = false;
    this.#timers.stop(timer.lossProbe);
    this.#timers.stop(timer.reordering);
    this.#timers.set(timer.retransmission, now + this.timeout);
    this.#observer.onRetransmissionTimeout(timeout, now);
  }

  /** Two round trips of silence: a probe is due, and the retransmission timer waits for its answer (RFC 8985 §7.3). */
  handleProbeTimeout(now: number): void {
    this.probeDue = true;
    this.#timers.set(timer.retransmission, now + this.timeout);
  }

  /** `range` went out as the probe. */
  noteProbe(range: SentRange, now: number): void {
    this.probeDue = false;
    this.#probe.noteSent(range.end, range.transmissions > 1);
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
    this.#scoreboard.clear();
    this.unacknowledged = this.next;
    this.congestion.release();
  }

  #readSackBlocks(segment: TcpSegment, acknowledged: number, now: number): void {
    const duplicate = this.#duplicateSack;
    duplicate.read(segment, acknowledged, this.initialSequence);
    if (duplicate.present) this.#rack.onDuplicateReported(acknowledged, this.next);
    for (let i = duplicate.present ? 1 : 0; i < segment.sackCount; i++) {
      const left = this.#unwrap(segment.sackEdges[2 * i]!);
      const right = this.#unwrap(segment.sackEdges[2 * i + 1]!);
      // Beyond what was sent it is nonsense.
      if (left < right && left >= acknowledged && right <= this.next) this.#scoreboard.sack(left, right, now);
    }
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

  /**
   * RFC 8985 §7.2: a probe after two round trips of silence, unless recovery is under way or a probe is out. Where the timeout comes first, it shall:
   * a probe in its stead would delay the other subflows' taking over.
   */
  #armProbe(now: number): void {
    if (
      !this.sackPermitted ||
      this.#probe.outstanding ||
      this.inRecovery ||
      this.#scoreboard.sackedBytes > 0 ||
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

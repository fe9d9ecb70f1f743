/** The send side of a subflow: what is in flight, what may be sent, its timers. RFC 9293 §3.8, RFC 6298, RFC 6675 §4; what is lost: loss-recovery.ts. */

import type { CongestionControl } from "../congestion/congestion-control.ts";
import { unwrapSequence, sequenceNumber, type SequenceNumber } from "../wire/sequence.ts";
import type { TcpSegment } from "../wire/tcp-segment.ts";
import { CongestionResponse } from "./congestion-response.ts";
import { DuplicateSack } from "./duplicate-sack.ts";
import { LossRecovery, type RecoveryPhase, type SendSequence } from "./loss-recovery.ts";
import { Pacer } from "./pacer.ts";
import { Rack } from "./rack.ts";
import { RttEstimator } from "./rtt-estimator.ts";
import { Scoreboard } from "./scoreboard.ts";
import type { SentQueue, SentRange } from "./sent-queue.ts";
import { TailLossProbe } from "./tail-loss-probe.ts";
import type { TcpJournal } from "./tcp-journal.ts";
import { timer, type TimerTable } from "./timers.ts";
import type { TimestampClock } from "./timestamp-clock.ts";

/** The beginning of a connection is no burst: the initial window may leave at once (RFC 6928 §2, RFC 9002 §7.7). */
const unpacedSegments = 10;
export interface SenderObserver {
  /** `range` is acknowledged up to `end` (an offset inside it or its end). */
  onRangeAcknowledged(range: SentRange, end: number): void;
  onRttSample(rttMicroseconds: number, now: number): void;
  onRetransmissionTimeout(now: number): void;
}

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
  readonly #journal: TcpJournal;
  readonly #timers: TimerTable;
  readonly #timestamps: TimestampClock;
  readonly #response: CongestionResponse;
  readonly #scoreboard: Scoreboard;
  readonly rack: Rack;
  readonly #probe: TailLossProbe;
  readonly #duplicateSack = new DuplicateSack();
  readonly #recovery: LossRecovery;
  #lastSentAt = 0;

  constructor(
    congestion: CongestionControl,
    timers: TimerTable,
    timestamps: TimestampClock,
    observer: SenderObserver,
    journal: TcpJournal,
  ) {
    this.congestion = congestion;
    this.#response = new CongestionResponse(congestion, journal.congestion);
    this.#timers = timers;
    this.pacer = new Pacer(timers, journal.congestion);
    this.#timestamps = timestamps;
    this.#observer = observer;
    this.#journal = journal;
    const rack = new Rack(this.rtt, journal.recovery);
    this.rack = rack;
    this.#probe = new TailLossProbe(timers, journal.recovery);
    this.#scoreboard = new Scoreboard({
      onDelivered: (range, now) => rack.onDelivered(range, now),
      onRangeAcknowledged: (range, end) => observer.onRangeAcknowledged(range, end),
    });
    this.#recovery = new LossRecovery(this, this.#scoreboard, rack, this.#response, timers, journal);
  }

  get queue(): SentQueue {
    return this.#scoreboard.queue;
  }

  /** What the peer has or the path has lost does not count (RFC 6675 §4, SetPipe). */
  get bytesInFlight(): number {
    return this.outstanding - this.#scoreboard.lostBytes - this.#recovery.deliveredBeyond;
  }

  get smoothedRttMicroseconds(): number {
    return this.rtt.smoothed;
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
    else this.#recovery.noteNewData(range, now);
    this.#recovery.noteTransmission(range.length, again, again ? this.#timestamps.valueAt(now) : -1);
    this.#scoreboard.noteSent(range, now);
    this.#lastSentAt = now;
    if (range.end > unpacedSegments * this.maximumSegmentSize) this.pacer.onSent(range.length, now);
    if (!this.#timers.isSet(timer.retransmission)) this.#timers.set(timer.retransmission, now + this.timeout);
    this.#armProbe(now);
  }

  /** Before new data. */
  noteIdle(now: number): void {
    if (this.outstanding === 0 && this.#lastSentAt > 0) this.#response.onPause(now - this.#lastSentAt, now);
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
  resendOutstanding(now: number): void {
    for (let range = this.queue.head; range !== undefined; range = range.next)
      if (!range.lost) this.#recovery.markLost(range, "syn-data", now);
  }

  nextLost(limit: number): SentRange | undefined {
    return this.#scoreboard.nextLost(limit);
  }

  lastForProbe(limit: number): SentRange | undefined {
    return this.#scoreboard.lastForProbe(limit);
  }

  /** No new data came to be sent in F-RTO (RFC 5682 §2.1 step 2b): what is lost is sent again. */
  endForwardRtoWithoutNewData(now: number): void {
    this.#recovery.forwardRto.stopWithoutNewData(this.next, this.sackPermitted, now);
  }

  /** An acceptable acknowledgement: `acknowledged` lies between SND.UNA and SND.NXT. */
  handleAcknowledgement(segment: TcpSegment, acknowledged: number, isDuplicate: boolean, now: number): void {
    const inFlightBefore = this.bytesInFlight;
    const deliveredBefore = this.unacknowledged + this.#recovery.deliveredBeyond;
    const sackedBefore = this.#scoreboard.sackedBytes;
    const newlyAcknowledged = acknowledged - this.unacknowledged;
    const progress = newlyAcknowledged > 0;
    const rack = this.rack;
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
    } else if (rack.isAmbiguous) {
      const name = "recovery:round-trip-ambiguous";
      this.#journal.recovery?.({ name, section: "RFC 6298 §3", acknowledged }, now);
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
    if (this.#probe.repairedLoss(acknowledged, this.#duplicateSack, isDuplicate && segment.sackCount === 0, now))
      recovery.onRepairedLoss(now);
    if (this.sackPermitted) recovery.detectBySack("acknowledgement", now);
    else recovery.detectByDuplicates(progress, before, now);

    if (recovery.phase === "recovery")
      recovery.reduceRate(this.unacknowledged + recovery.deliveredBeyond - deliveredBefore, now);
    else if (progress && this.mayGrow && before !== "recovery") {
      const wasLimit = before === "loss" || this.#response.wasLimit(inFlightBefore, this.maximumSegmentSize);
      this.congestion.onAcknowledged(newlyAcknowledged, wasLimit, this.rtt.smoothed, now);
    }
    if (this.pacer.enabled)
      this.pacer.update(this.congestion.congestionWindow, this.congestion.slowStartThreshold, this.rtt.smoothed, now);
    this.#rearm(progress || rack.delivered, now);
  }

  /** The window has been reduced in this round trip. */
  get hasReduced(): boolean {
    return this.#response.hasReduced(this.unacknowledged);
  }

  /** Half the window, at most once in a round trip, for a reason that is not of this path. */
  halveWindow(now: number): void {
    if (!this.inRecovery) this.#response.halve(this.unacknowledged, this.next, now);
  }

  /** The subflow is heard of again after so long that its window says nothing of the path. */
  restartAfterOutage(now: number): void {
    this.#response.onOutage(now);
  }

  /**
   * A SYN or SYN/ACK was lost: the window begins with one segment (RFC 5681 §3.1), and, since a SYN that was sent twice tells no round-trip time by itself (Karn), the timeout
   * with three seconds (RFC 6298 §5.7) until one is known.
   */
  restartAfterLostSyn(now: number): void {
    this.rtt.restartAfterLostSyn();
    this.#response.onLostSyn(now);
  }

  /** The path says that it is congested (RFC 3168 §6.1.2): as a loss, but nothing has to be sent again. A loss in the same round trip has been answered. */
  handleCongestionMark(now: number): void {
    if (this.#recovery.isOpen) this.#response.reduce("congestion-mark", this.unacknowledged, this.next, now);
  }

  /** The path takes no more than `size` bytes a segment: what is larger goes out again in pieces; that is no congestion (RFC 1191 §6.5). */
  reduceSegmentSize(size: number, trigger: "icmp" | "black-hole", now: number): void {
    const formerSegmentSize = this.maximumSegmentSize;
    this.maximumSegmentSize = size;
    this.congestion.setMaximumSegmentSize(size);
    for (let range = this.queue.head; range !== undefined; range = range.next)
      if (!range.sacked && !range.lost && range.length > size) this.#recovery.markLost(range, "path-mtu", now);
    const section = trigger === "icmp" ? "RFC 1191 §6.3" : "RFC 4821 §7.7";
    this.#journal.note({ name: "tcp:mtu-changed", section, trigger, formerSegmentSize, segmentSize: size }, now);
  }

  /** RACK's reordering window has passed (RFC 8985 §6.2). */
  handleReorderingTimeout(now: number): void {
    this.#recovery.detectBySack("reordering-timer", now);
    if (this.#recovery.phase === "recovery") this.#recovery.reduceRate(0, now);
  }

  /** RFC 6298 (5.4)–(5.7), RFC 8985 §6.3. */
  handleRetransmissionTimeout(now: number): void {
    const timeout = this.timeout;
    this.rtoCount++;
    this.consecutiveTimeouts++;
    this.#recovery.onRetransmissionTimeout(timeout, now);
    this.backOff("data", now);
    this.#probe.forget(now);
    this.probeDue = false;
    this.#timers.stop(timer.lossProbe);
    this.#timers.stop(timer.reordering);
    this.#timers.set(timer.retransmission, now + this.timeout);
    const { backoff } = this.rtt;
    const bytesInFlight = this.outstanding;
    this.#journal.note(
      { name: "recovery:rto", section: "RFC 6298 §5", timeoutMicroseconds: timeout, backoff, bytesInFlight },
      now,
    );
    this.#observer.onRetransmissionTimeout(now);
  }

  /** RFC 6298 (5.5). `of`: what was not answered. */
  backOff(of: "handshake" | "data", now: number): void {
    const timeoutMicroseconds = this.timeout;
    this.rtt.backOff();
    this.#journal.recovery?.(
      {
        name: "recovery:timeout-backed-off",
        section: "RFC 6298 §5",
        of,
        timeoutMicroseconds,
        nextTimeoutMicroseconds: this.timeout,
        backoff: this.rtt.backoff,
        smoothedRttMicroseconds: this.rtt.smoothed,
        rttVariationMicroseconds: this.rtt.variation,
        limitMicroseconds: this.timeoutLimit,
      },
      now,
    );
  }

  /** Two round trips of silence: a probe is due, and the retransmission timer waits for its answer (RFC 8985 §7.3). */
  handleProbeTimeout(now: number): void {
    this.probeDue = true;
    this.#timers.set(timer.retransmission, now + this.timeout);
    const { bytesInFlight } = this;
    this.#journal.note({ name: "recovery:tail-loss-probe", section: "RFC 8985 §7.3", bytesInFlight }, now);
  }

  /** `range` went out as the probe. */
  noteProbe(range: SentRange, now: number): void {
    this.probeDue = false;
    this.#probe.noteSent(range.start, range.end, range.transmissions > 1, now);
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
    if (duplicate.present) this.rack.onDuplicateReported(duplicate.length, acknowledged, this.next, now);
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

  /** A probe is scheduled unless recovery is under way or a probe is out (RFC 8985 §7.2). */
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
    this.#probe.schedule(this.rtt.smoothed, this.timeout, this.outstanding, this.maximumSegmentSize, now);
  }

  #unwrap(value: number): number {
    return unwrapSequence(sequenceNumber(value), this.initialSequence, this.unacknowledged);
  }
}

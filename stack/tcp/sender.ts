/** The send side of a subflow: what is in flight, what is lost, what may be sent. RFC 9293 §3.8, RFC 6675, RFC 8985 (RACK-TLP); RFC 6582 without SACK. */

import type { CongestionControl } from "../congestion/congestion-control.ts";
import { unwrapSequence, sequenceNumber, type SequenceNumber } from "../wire/sequence.ts";
import type { TcpSegment } from "../wire/tcp-segment.ts";
import { CongestionResponse } from "./congestion-response.ts";
import { DuplicateSack } from "./duplicate-sack.ts";
import { ForwardRto } from "./forward-rto.ts";
import { Pacer } from "./pacer.ts";
import { ProportionalRateReduction } from "./prr.ts";
import { Rack } from "./rack.ts";
import { RttEstimator } from "./rtt-estimator.ts";
import { Scoreboard } from "./scoreboard.ts";
import type { SentQueue, SentRange } from "./sent-queue.ts";
import { SpuriousRecovery } from "./spurious-recovery.ts";
import { TailLossProbe } from "./tail-loss-probe.ts";
import { timer, type TimerTable } from "./timers.ts";
import type { TimestampClock } from "./timestamp-clock.ts";

const duplicateThreshold = 3;
/** The beginning of a connection is no burst: the initial window may leave at once (RFC 6928 §2, RFC 9002 §7.7). */
const unpacedSegments = 10;
/** RFC 8985 §7.2: how long the peer may delay the acknowledgement of a single segment. */
const delayedAckAllowance = 50_000;

export interface SenderObserver {
  /** `range` is acknowledged up to `end` (an offset inside it or its end). */
  onRangeAcknowledged(range: SentRange, end: number): void;
  onRttSample(rttMicroseconds: number, now: number): void;
  onFastRetransmit(lostBytes: number, now: number): void;
  onRetransmissionTimeout(timeoutMicroseconds: number, now: number): void;
  /** The latest recovery was for nothing; the window is what it was before. */
  onSpuriousRecovery(now: number): void;
}

/** RFC 7661 §4.2: the non-validated period. */
const windowValidityMicroseconds = 300_000_000;

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
  /** A tail loss probe is to be sent: new data, or else the last segment again. */
  probeDue = false;
  /** Upper bound of the timeout: a subflow that others stand in for is probed more often than RFC 6298 (5.5) would. */
  timeoutLimit: number = Number.POSITIVE_INFINITY;

  readonly pacer: Pacer;

  readonly #observer: SenderObserver;
  readonly #timers: TimerTable;
  readonly #timestamps: TimestampClock;
  readonly #response: CongestionResponse;
  readonly #scoreboard: Scoreboard;
  readonly #rack = new Rack(this.rtt);
  readonly #reduction = new ProportionalRateReduction();
  readonly #probe = new TailLossProbe();
  readonly #forwardRto = new ForwardRto();
  readonly #spurious = new SpuriousRecovery();
  readonly #duplicateSack = new DuplicateSack();
  #duplicateAcks = 0;
  #recovery: "open" | "recovery" | "loss" = "open";
  #recoveryPoint = 0;
  /** What a timeout or a partial acknowledgement asks for goes out whatever is in flight (RFC 6298 (5.4), RFC 6582 §3.2 step 5). */
  #retransmissionForced = false;
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
  }

  get queue(): SentQueue {
    return this.#scoreboard.queue;
  }

  /** What the peer has or the path has lost does not count (RFC 6675 §4, SetPipe). */
  get bytesInFlight(): number {
    return this.outstanding - this.#scoreboard.lostBytes - this.#deliveredBeyond;
  }

  /** Bytes beyond SND.UNA that the peer has: by SACK, or one segment for each duplicate acknowledgement (RFC 5681 §3.2 (4); RFC 3042). */
  get #deliveredBeyond(): number {
    if (this.sackPermitted) return this.#scoreboard.sackedBytes;
    const behind = this.outstanding - Math.max(this.#scoreboard.lostBytes, this.maximumSegmentSize);
    return Math.max(0, Math.min(this.#duplicateAcks * this.maximumSegmentSize, behind));
  }

  get outstanding(): number {
    return this.next - this.unacknowledged;
  }

  get inRecovery(): boolean {
    return this.#recovery !== "open";
  }

  /** Something lost is to be sent again before anything new. */
  get hasLost(): boolean {
    return this.#scoreboard.lostBytes > 0 && !this.#forwardRto.prefersNewData;
  }

  /** The first lost range goes out now, whatever the window says: a timeout asks for it, or nothing is in flight. */
  get mustRetransmit(): boolean {
    return this.#retransmissionForced || this.bytesInFlight <= 0;
  }

  /** What the congestion window, or in recovery the rate reduction, allows beyond what is in flight. */
  get congestionSpace(): number {
    if (this.#recovery === "recovery") return this.#reduction.allowance;
    return Math.floor(this.congestion.congestionWindow) - this.bytesInFlight;
  }

  get timeout(): number {
    return Math.min(this.rtt.timeout, Math.max(this.timeoutLimit, 2 * this.rtt.smoothed));
  }

  /** A range was sent (again): counts, order of time, timers. */
  noteTransmission(range: SentRange, now: number): void {
    if (range.transmissions > 0) {
      this.retransmissions++;
      if (this.inRecovery) this.#spurious.noteRetransmission(range.length, this.#timestamps.valueAt(now));
    }
    if (this.#recovery === "recovery") this.#reduction.onSent(range.length);
    this.#retransmissionForced = false;
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
    return this.#forwardRto.prefersNewData ? allowed : this.pacer.pace(allowed, size, now);
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
    this.#forwardRto.stopWithoutNewData(this.next);
  }

  /** An acceptable acknowledgement: `acknowledged` lies between SND.UNA and SND.NXT. */
  handleAcknowledgement(segment: TcpSegment, acknowledged: number, isDuplicate: boolean, now: number): void {
    const inFlightBefore = this.bytesInFlight;
    const deliveredBefore = this.unacknowledged + this.#deliveredBeyond;
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
      this.rtt.sample(rack.rttSample);
      this.congestion.onRttSample(rack.rttSample, acknowledged, this.next);
      this.#observer.onRttSample(rack.rttSample, now);
    }
    if (progress) {
      this.bytesAcked += newlyAcknowledged;
      this.consecutiveTimeouts = 0;
      this.rtt.resetBackoff();
      // Each segment acknowledged had one duplicate acknowledgement to itself, but for the retransmission.
      const segments = Math.floor(newlyAcknowledged / this.maximumSegmentSize);
      this.#duplicateAcks = this.inRecovery ? Math.max(0, this.#duplicateAcks - Math.max(0, segments - 1)) : 0;
    } else if (isDuplicate && !this.sackPermitted) this.#duplicateAcks++;

    const wasInRecovery = this.#recovery;
    this.#judgeRecovery(segment, progress, this.#scoreboard.sackedBytes > sackedBefore, now);
    if (this.#probe.repairedLoss(acknowledged, this.#duplicateSack, isDuplicate && segment.sackCount === 0))
      this.#reactToRepairedLoss(now);
    if (this.sackPermitted) this.#detectBySack(now);
    else this.#detectByDuplicates(progress, wasInRecovery, now);

    if (this.#recovery === "recovery") {
      const delivered = this.unacknowledged + this.#deliveredBeyond - deliveredBefore;
      this.#reduction.onAcknowledged(
        Math.max(0, delivered),
        this.bytesInFlight,
        this.congestion.slowStartThreshold,
        this.maximumSegmentSize,
      );
    } else if (progress && wasInRecovery !== "recovery") {
      const windowLimited =
        wasInRecovery === "loss" ||
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
    if (this.#recovery === "open") this.#response.reduce(this.unacknowledged, this.next);
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
    this.#detectBySack(now);
    if (this.#recovery !== "recovery") return;
    const { slowStartThreshold } = this.congestion;
    this.#reduction.onAcknowledged(0, this.bytesInFlight, slowStartThreshold, this.maximumSegmentSize);
  }

  /** RFC 6298 (5.4)–(5.7), RFC 8985 §6.3. */
  handleRetransmissionTimeout(now: number): void {
    const scoreboard = this.#scoreboard;
    const timeout = this.timeout;
    const repeated = this.#recovery === "loss";
    this.rtoCount++;
    this.consecutiveTimeouts++;
    this.#response.onRetransmissionTimeout(repeated);
    if (repeated) this.#forwardRto.stop();
    else {
      this.#spurious.begin(this.unacknowledged, this.next);
      this.#forwardRto.begin();
    }
    this.#recovery = "loss";
    this.#recoveryPoint = this.next;
    this.#duplicateAcks = 0;
    // What stands at SND.UNA should have moved it: the peer has thrown away what it had acknowledged selectively (RFC 2018 §8).
    if (scoreboard.queue.head?.sacked === true) scoreboard.forgetSacks();
    for (let range = scoreboard.queue.head; range !== undefined; range = range.next) {
      const isFirst = range === scoreboard.queue.head;
      if (!range.sacked && !range.lost && (isFirst || repeated || this.#rack.isOverdue(range, now)))
        scoreboard.markLost(range);
    }
    this.#retransmissionForced = true;
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

  /** Is the recovery over, and was it for nothing? */
  #judgeRecovery(segment: TcpSegment, progress: boolean, newlySacked: boolean, now: number): void {
    const recovered = this.unacknowledged >= this.#recoveryPoint;
    const duplicate = this.#duplicateSack;
    // What lies above the acknowledgement is still known; what was sent once was duplicated by the path.
    const duplicated =
      duplicate.present && (duplicate.end <= this.unacknowledged || this.#scoreboard.wasSentAgain(duplicate.start));
    let spurious = this.#spurious.isProven(segment, duplicated ? duplicate : undefined, progress);
    if (this.#recovery === "loss") {
      const verdict = this.#forwardRto.isSpurious(progress, recovered, newlySacked, this.sackPermitted, this.next);
      spurious ||= verdict;
    }
    if (spurious) {
      // RFC 4015 §3.2: the window is restored; what counted as lost is only late.
      this.#spurious.forget();
      this.#forwardRto.stop();
      this.#rack.onSpuriousRecovery();
      this.#scoreboard.restoreLost();
      this.#response.undoRecovery();
      this.#observer.onSpuriousRecovery(now);
    }
    if (this.#recovery !== "open" && (recovered || spurious)) {
      this.#recovery = "open";
      this.#duplicateAcks = 0;
      this.#forwardRto.stop();
      this.#rack.onRecoveryEnded();
    }
  }

  /** RFC 8985 §7.4.2: once for each episode. */
  #reactToRepairedLoss(now: number): void {
    if (this.#recovery !== "open") return;
    this.#spurious.forget();
    this.#response.reduce(this.unacknowledged, this.next);
    this.#observer.onFastRetransmit(this.maximumSegmentSize, now);
  }

  #detectBySack(now: number): void {
    const scoreboard = this.#scoreboard;
    if (scoreboard.sackedBytes === 0 && this.#recovery === "open") {
      this.#timers.stop(timer.reordering);
      return;
    }
    const manySacked = scoreboard.sackedBytes >= duplicateThreshold * this.maximumSegmentSize;
    const wait = this.#rack.findLost(scoreboard, manySacked || this.inRecovery, now);
    if (wait > 0) this.#timers.set(timer.reordering, now + wait);
    else this.#timers.stop(timer.reordering);
    this.#enterRecoveryIfLost(now);
  }

  /** Without SACK: three duplicate acknowledgements, then each partial one, tell of one lost segment (RFC 6582 §3.2). */
  #detectByDuplicates(progress: boolean, wasInRecovery: string, now: number): void {
    const { queue } = this.#scoreboard;
    const { head } = queue;
    if (head === undefined || head.lost) return;
    const partial = progress && wasInRecovery === "recovery" && this.#recovery === "recovery";
    const third = this.#duplicateAcks === duplicateThreshold && this.#recovery === "open";
    if (!partial && !third) return;
    if (head.length > this.maximumSegmentSize) queue.split(head, head.start + this.maximumSegmentSize);
    this.#scoreboard.markLost(head);
    if (partial) this.#retransmissionForced = true;
    this.#enterRecoveryIfLost(now);
  }

  #enterRecoveryIfLost(now: number): void {
    const { lostBytes } = this.#scoreboard;
    if (lostBytes === 0 || this.#recovery !== "open") return;
    this.#recovery = "recovery";
    this.#recoveryPoint = this.next;
    this.#spurious.begin(this.unacknowledged, this.next);
    this.#reduction.begin(this.outstanding);
    this.#response.beginRecovery(this.unacknowledged, this.next);
    this.#observer.onFastRetransmit(lostBytes, now);
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

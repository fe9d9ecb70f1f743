/** What is lost, and the recovery from it: RFC 6675 and RFC 8985 with SACK, RFC 6582 without; RFC 6298 §5 and F-RTO after a timeout; RFC 6937 in between. */

import type { TcpSegment } from "../wire/tcp-segment.ts";
import type { CongestionResponse } from "./congestion-response.ts";
import type { DuplicateSack } from "./duplicate-sack.ts";
import { ForwardRto } from "./forward-rto.ts";
import { ProportionalRateReduction } from "./prr.ts";
import type { LossCause } from "../tcp-decisions.ts";
import type { Rack } from "./rack.ts";
import type { Scoreboard } from "./scoreboard.ts";
import type { SentRange } from "./sent-queue.ts";
import { SpuriousRecovery } from "./spurious-recovery.ts";
import type { TcpJournal } from "./tcp-journal.ts";
import { timer, type TimerTable } from "./timers.ts";

const duplicateThreshold = 3;

/** Where the stream is. */
export interface SendSequence {
  readonly unacknowledged: number;
  readonly next: number;
  readonly bytesInFlight: number;
  readonly sackPermitted: boolean;
  readonly maximumSegmentSize: number;
  readonly smoothedRttMicroseconds: number;
}

/** What brought a phase about. `acknowledgement`: what the peer says that it has; `reordering-timer`: RACK's (RFC 8985 §6.2). */
export type RecoveryTrigger =
  | "acknowledgement"
  | "reordering-timer"
  | "retransmission-timeout"
  | "all-acknowledged"
  | "proven-spurious";

/** `recovery`: after a loss that acknowledgements have shown; `loss`: after a timeout. */
export type RecoveryPhase = "open" | "recovery" | "loss";

type SpuriousProof = "forward-rto" | "duplicates" | "timestamps";

const spuriousSections: Readonly<Record<SpuriousProof, string>> = {
  "forward-rto": "RFC 5682 §3.1",
  duplicates: "RFC 3708 §2",
  timestamps: "RFC 3522 §3.2",
};

const lossSections: Readonly<Record<Exclude<LossCause, "reordering-window">, string>> = {
  "duplicate-acknowledgements": "RFC 6582 §3.2",
  "partial-acknowledgement": "RFC 6582 §3.2",
  timeout: "RFC 8985 §6.3",
  "path-mtu": "RFC 1191 §6.5",
  "syn-data": "RFC 7413 §4.2.1",
};

/** Of the others the section depends on SACK. */
const phaseSections: Readonly<Partial<Record<RecoveryTrigger, string>>> = {
  "reordering-timer": "RFC 8985 §6.2",
  "retransmission-timeout": "RFC 8985 §6.3",
  "proven-spurious": "RFC 4015 §3.2",
};

export class LossRecovery {
  phase: RecoveryPhase = "open";
  /** What a timeout or a partial acknowledgement asks for goes out whatever is in flight (RFC 6298 (5.4), RFC 6582 §3.2 step 5). */
  retransmissionForced = false;
  readonly forwardRto: ForwardRto;
  readonly #sequence: SendSequence;
  readonly #scoreboard: Scoreboard;
  readonly #rack: Rack;
  readonly #response: CongestionResponse;
  readonly #timers: TimerTable;
  readonly #journal: TcpJournal;
  readonly #reduction: ProportionalRateReduction;
  readonly #spurious: SpuriousRecovery;
  #duplicateAcks = 0;
  #recoveryPoint = 0;

  constructor(
    sequence: SendSequence,
    scoreboard: Scoreboard,
    rack: Rack,
    response: CongestionResponse,
    timers: TimerTable,
    journal: TcpJournal,
  ) {
    this.#sequence = sequence;
    this.#scoreboard = scoreboard;
    this.#rack = rack;
    this.#response = response;
    this.#timers = timers;
    this.#journal = journal;
    this.forwardRto = new ForwardRto(journal.recovery);
    this.#reduction = new ProportionalRateReduction(journal.recovery);
    this.#spurious = new SpuriousRecovery(journal.recovery);
  }

  get isOpen(): boolean {
    return this.phase === "open";
  }

  /** What the rate reduction lets go out now. */
  get allowance(): number {
    return this.#reduction.allowance;
  }

  /** Bytes beyond SND.UNA that the peer has: by SACK, or one segment for each duplicate acknowledgement (RFC 5681 §3.2 (4); RFC 3042). */
  get deliveredBeyond(): number {
    if (this.#sequence.sackPermitted) return this.#scoreboard.sackedBytes;
    const { next, unacknowledged, maximumSegmentSize } = this.#sequence;
    const behind = next - unacknowledged - Math.max(this.#scoreboard.lostBytes, maximumSegmentSize);
    return Math.max(0, Math.min(this.#duplicateAcks * maximumSegmentSize, behind));
  }

  /** `bytes` go out, `again` or for the first time; `timestamp`: their TSval. */
  noteTransmission(bytes: number, again: boolean, timestamp: number): void {
    if (again && !this.isOpen) this.#spurious.noteRetransmission(bytes, timestamp);
    if (this.phase === "recovery") this.#reduction.onSent(bytes);
    this.retransmissionForced = false;
  }

  /** New data go out; with the first duplicate acknowledgements, or what they are with SACK, by the rule of RFC 3042. */
  noteNewData({ start, end }: SentRange, now: number): void {
    const record = this.#journal.recovery;
    if (record === undefined || !this.isOpen || this.deliveredBeyond === 0) return;
    record(
      {
        name: "recovery:limited-transmit",
        section: "RFC 3042 §2",
        start,
        end,
        deliveredBeyondBytes: this.deliveredBeyond,
        bytesInFlight: this.#sequence.bytesInFlight,
        congestionWindow: this.#response.congestion.congestionWindow,
      },
      now,
    );
  }

  /** `bytes` are newly acknowledged cumulatively; 0 with `isDuplicate`: a duplicate acknowledgement. */
  countDuplicates(bytes: number, isDuplicate: boolean): void {
    if (bytes > 0) {
      // Each segment acknowledged had one duplicate acknowledgement to itself, but for the retransmission.
      const segments = Math.floor(bytes / this.#sequence.maximumSegmentSize);
      this.#duplicateAcks = this.isOpen ? 0 : Math.max(0, this.#duplicateAcks - Math.max(0, segments - 1));
    } else if (isDuplicate && !this.#sequence.sackPermitted) this.#duplicateAcks++;
  }

  /** Is the recovery over, and was it for nothing? */
  judge(segment: TcpSegment, duplicate: DuplicateSack, progress: boolean, newlySacked: boolean, now: number): void {
    const { unacknowledged, next, sackPermitted } = this.#sequence;
    const recovered = unacknowledged >= this.#recoveryPoint;
    // What lies above the acknowledgement is still known; what was sent once was duplicated by the path.
    const sentTwice =
      duplicate.present && (duplicate.end <= unacknowledged || this.#scoreboard.wasSentAgain(duplicate.start));
    let proof: SpuriousProof | undefined = this.#spurious.proof(segment, duplicate, sentTwice, progress, now);
    if (this.phase === "loss" && this.forwardRto.isSpurious(progress, recovered, newlySacked, sackPermitted, next, now))
      proof ??= "forward-rto";
    if (proof !== undefined) {
      // RFC 4015 §3.2: the window is restored; what counted as lost is only late.
      this.#spurious.forget();
      this.forwardRto.stop();
      this.#rack.onSpuriousRecovery();
      this.#scoreboard.restoreLost();
      const undone = this.#response.undoRecovery(now);
      const { congestionWindow } = this.#response.congestion;
      const section = spuriousSections[proof];
      this.#journal.note({ name: "recovery:spurious", section, proof, undone, congestionWindow }, now);
    }
    if (!this.isOpen && (recovered || proof !== undefined)) {
      this.#turn("open", proof !== undefined ? "proven-spurious" : "all-acknowledged", now);
      this.#duplicateAcks = 0;
      this.forwardRto.stop();
      this.#rack.onRecoveryEnded(now);
    }
  }

  /** A tail loss probe has repaired a loss (RFC 8985 §7.4.2): once for each episode. */
  onRepairedLoss(now: number): void {
    if (!this.isOpen) return;
    const { unacknowledged, next, maximumSegmentSize } = this.#sequence;
    this.#spurious.forget();
    this.#response.reduce("repaired-loss", unacknowledged, next, now);
    this.#noteFastRetransmit("RFC 8985 §7.4.2", maximumSegmentSize, now);
  }

  detectBySack(trigger: "acknowledgement" | "reordering-timer", now: number): void {
    const scoreboard = this.#scoreboard;
    if (scoreboard.sackedBytes === 0 && this.isOpen) {
      this.#timers.stop(timer.reordering);
      return;
    }
    const manySacked = scoreboard.sackedBytes >= duplicateThreshold * this.#sequence.maximumSegmentSize;
    const wait = this.#rack.findLost(scoreboard, manySacked || !this.isOpen, now);
    if (wait > 0) this.#timers.set(timer.reordering, now + wait);
    else this.#timers.stop(timer.reordering);
    this.#enterIfLost(trigger, now);
  }

  /** Without SACK: three duplicate acknowledgements, then each partial one, tell of one lost segment (RFC 6582 §3.2). `before`: the phase before this acknowledgement. */
  detectByDuplicates(progress: boolean, before: RecoveryPhase, now: number): void {
    const { queue } = this.#scoreboard;
    const { head } = queue;
    if (head === undefined || head.lost) return;
    const partial = progress && before === "recovery" && this.phase === "recovery";
    const third = this.#duplicateAcks === duplicateThreshold && this.isOpen;
    if (!partial && !third) return;
    const { maximumSegmentSize } = this.#sequence;
    if (head.length > maximumSegmentSize) queue.split(head, head.start + maximumSegmentSize);
    this.markLost(head, partial ? "partial-acknowledgement" : "duplicate-acknowledgements", now);
    if (partial) this.retransmissionForced = true;
    this.#enterIfLost("acknowledgement", now);
  }

  /** In recovery, `delivered` bytes have newly arrived: how much that lets go out. */
  reduceRate(delivered: number, now: number): void {
    const { bytesInFlight, maximumSegmentSize } = this.#sequence;
    const { slowStartThreshold } = this.#response.congestion;
    this.#reduction.onAcknowledged(Math.max(0, delivered), bytesInFlight, slowStartThreshold, maximumSegmentSize, now);
  }

  /** RFC 6298 (5.4), RFC 8985 §6.3. */
  onRetransmissionTimeout(timeoutMicroseconds: number, now: number): void {
    const scoreboard = this.#scoreboard;
    const { unacknowledged, next, sackPermitted } = this.#sequence;
    const repeated = this.phase === "loss";
    this.#response.onRetransmissionTimeout(repeated, now);
    if (repeated) this.forwardRto.abandon(sackPermitted, now);
    else {
      this.#spurious.begin(unacknowledged, next);
      this.forwardRto.begin(next - unacknowledged, timeoutMicroseconds, now);
    }
    const before = this.phase;
    this.phase = "loss";
    this.#recoveryPoint = next;
    this.#duplicateAcks = 0;
    // What stands at SND.UNA should have moved it: the peer has thrown away what it had acknowledged selectively (RFC 2018 §8).
    if (scoreboard.queue.head?.sacked === true) scoreboard.forgetSacks();
    for (let range = scoreboard.queue.head; range !== undefined; range = range.next) {
      const isFirst = range === scoreboard.queue.head;
      if (!range.sacked && !range.lost && (isFirst || repeated || this.#rack.isOverdue(range, now)))
        this.markLost(range, "timeout", now);
    }
    this.retransmissionForced = true;
    this.#tellPhase(before, "retransmission-timeout", now);
  }

  /** For a reason that RACK does not know. */
  markLost(range: SentRange, cause: Exclude<LossCause, "reordering-window">, now: number): void {
    this.#scoreboard.markLost(range);
    this.#journal.recovery?.(
      {
        name: "recovery:range-lost",
        section: lossSections[cause],
        cause,
        start: range.start,
        end: range.end,
        transmissions: range.transmissions,
        ageMicroseconds: now - range.sentAt,
        rackRttMicroseconds: this.#rack.latestRtt,
        reorderingWindowMicroseconds: this.#rack.reorderingWindow(true),
        duplicateAcknowledgements: this.#duplicateAcks,
      },
      now,
    );
  }

  #turn(phase: RecoveryPhase, trigger: RecoveryTrigger, now: number): void {
    const before = this.phase;
    this.phase = phase;
    this.#tellPhase(before, trigger, now);
  }

  #enterIfLost(trigger: RecoveryTrigger, now: number): void {
    const { lostBytes } = this.#scoreboard;
    if (lostBytes === 0 || !this.isOpen) return;
    const { unacknowledged, next } = this.#sequence;
    this.phase = "recovery";
    this.#recoveryPoint = next;
    this.#spurious.begin(unacknowledged, next);
    this.#response.beginRecovery(unacknowledged, next, now);
    this.#reduction.begin(next - unacknowledged, next, this.#response.congestion.slowStartThreshold, now);
    this.#tellPhase("open", trigger, now);
    this.#noteFastRetransmit(this.#sequence.sackPermitted ? "RFC 8985 §6.2" : "RFC 6582 §3.2", lostBytes, now);
  }

  #noteFastRetransmit(section: string, lostBytes: number, now: number): void {
    const { congestionWindow, slowStartThreshold } = this.#response.congestion;
    const name = "recovery:fast-retransmit";
    this.#journal.note({ name, section, lostBytes, congestionWindow, slowStartThreshold }, now);
  }

  #tellPhase(from: RecoveryPhase, trigger: RecoveryTrigger, now: number): void {
    const record = this.#journal.recovery;
    if (record === undefined) return;
    const { bytesInFlight, sackPermitted, smoothedRttMicroseconds } = this.#sequence;
    const { sackedBytes, lostBytes } = this.#scoreboard;
    const { congestionWindow, slowStartThreshold } = this.#response.congestion;
    record(
      {
        name: "recovery:state-changed",
        section: phaseSections[trigger] ?? (sackPermitted ? "RFC 6675 §5" : "RFC 6582 §3.2"),
        from,
        to: this.phase,
        trigger,
        recoveryPoint: this.#recoveryPoint,
        lostBytes,
        sackedBytes,
        bytesInFlight,
        congestionWindow,
        slowStartThreshold,
        smoothedRttMicroseconds,
      },
      now,
    );
  }
}

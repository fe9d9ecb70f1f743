/** Loss by time (RFC 8985 §6): a segment is lost when one sent later has arrived and the reordering window has passed. */

import type { RttEstimator } from "./rtt-estimator.ts";
import type { Scoreboard } from "./scoreboard.ts";
import type { SentRange } from "./sent-queue.ts";
import type { DecisionRecorder } from "./tcp-journal.ts";

/** RFC 8985 §6.2 step 4: RACK.reo_wnd_persist. */
const recoveriesToPersist = 16;

export class Rack {
  /** RACK.xmit_ts, RACK.end_seq, RACK.rtt: the most recently sent range that has been delivered. */
  #sentAt = -1;
  #end = 0;
  #rtt = 0;
  /** The highest offset delivered: below it, an arrival of something sent only once shows reordering. */
  #highestDelivered = 0;
  #reorderingSeen = false;
  /** How often: ranges that arrived after later ones, sent once. */
  reorderings = 0;
  /** Bytes that the peer has told to have had twice. */
  bytesReportedTwice = 0;
  #reorderingMultiplier = 1;
  #windowPersists = 0;
  /** SND.NXT when the latest duplicate was reported: RACK.dsack_round. */
  #duplicateRound = 0;
  readonly #roundTrip: RttEstimator;
  readonly #trace: DecisionRecorder | undefined;

  /** Of the acknowledgement being processed: did it deliver anything, and the round trip of what was sent last and only once; 0: none. */
  delivered = false;
  #rttSample = 0;
  #sampleSentAt = -1;
  #ambiguous = false;

  constructor(roundTrip: RttEstimator, trace: DecisionRecorder | undefined) {
    this.#roundTrip = roundTrip;
    this.#trace = trace;
  }

  /** None either when something that was sent again is acknowledged too: what waited behind it at the receiver would look late (Karn). */
  get rttSample(): number {
    return this.#ambiguous ? 0 : this.#rttSample;
  }

  /** Something arrived, and it tells no round trip for that reason. */
  get isAmbiguous(): boolean {
    return this.#ambiguous;
  }

  /** RACK.rtt: that of the latest delivery. */
  get latestRtt(): number {
    return this.#rtt;
  }

  beginAcknowledgement(): void {
    this.delivered = false;
    this.#ambiguous = false;
    this.#rttSample = 0;
    this.#sampleSentAt = -1;
  }

  /** RFC 8985 §6.2 steps 2 and 3; called for each range that an acknowledgement newly covers. */
  onDelivered(range: SentRange, now: number): void {
    this.delivered = true;
    const rtt = now - range.sentAt;
    if (range.transmissions === 1) {
      if (range.sentAt > this.#sampleSentAt) {
        this.#sampleSentAt = range.sentAt;
        this.#rttSample = Math.max(1, rtt);
      }
      if (range.end <= this.#highestDelivered) {
        this.#reorderingSeen = true;
        this.reorderings++;
        // It had been taken for lost, and there is no D-SACK to tell, since it was not sent again yet.
        if (range.lost) this.#widenWindow("late-arrival", now);
      }
    } else {
      this.#ambiguous = true;
      if (rtt < this.#roundTrip.minimum) return; // The acknowledgement is for an earlier transmission.
    }
    if (range.end > this.#highestDelivered) this.#highestDelivered = range.end;
    if (range.sentAt > this.#sentAt || (range.sentAt === this.#sentAt && range.end > this.#end)) {
      this.#sentAt = range.sentAt;
      this.#end = range.end;
      this.#rtt = rtt;
    }
  }

  /**
   * Marks every lost range. Returns how many microseconds from `now` the next could be declared lost, 0 for never.
   * `lossIsLikely`: in recovery already, or three segments' worth selectively acknowledged.
   */
  findLost(scoreboard: Scoreboard, lossIsLikely: boolean, now: number): number {
    const window = this.reorderingWindow(lossIsLikely);
    let wait = 0;
    for (let range = scoreboard.queue.sentHead; range !== undefined;) {
      if (range.sentAt > this.#sentAt || (range.sentAt === this.#sentAt && range.end > this.#end)) break;
      const following: SentRange | undefined = range.nextSent;
      const remaining = range.sentAt + this.#rtt + window - now;
      if (remaining <= 0) {
        scoreboard.markLost(range);
        this.#tellLost(range, window, now);
      } else if (remaining > wait) wait = remaining;
      range = following;
    }
    if (wait > 0) this.#tellWait(wait, window, lossIsLikely, scoreboard.sackedBytes, now);
    return wait;
  }

  /**
   * RFC 8985 §6.2 step 4: the window widens once in a round trip that reports a duplicate (RFC 2883): what was sent again had only been late.
   * `bytes`: which came twice; `sendNext`: SND.NXT.
   */
  onDuplicateReported(bytes: number, unacknowledged: number, sendNext: number, now: number): void {
    this.bytesReportedTwice += bytes;
    if (unacknowledged < this.#duplicateRound) return;
    this.#duplicateRound = sendNext;
    this.#widenWindow("duplicate-reported", now);
  }

  /** After sixteen recoveries without a duplicate the window is narrow again. */
  onRecoveryEnded(now: number): void {
    if (--this.#windowPersists > 0 || this.#reorderingMultiplier === 1) return;
    this.#reorderingMultiplier = 1;
    this.#tellWindow("recoveries-without-duplicate", now);
  }

  /** What was taken for lost had only been overtaken. */
  onSpuriousRecovery(): void {
    this.#reorderingSeen = true;
  }

  /** After a timeout, what was sent only a moment ago is not lost yet (RFC 8985 §6.3). */
  isOverdue(range: SentRange, now: number): boolean {
    return range.sentAt + (this.#rtt || this.#roundTrip.smoothed) + this.reorderingWindow(true) <= now;
  }

  #widenWindow(trigger: "duplicate-reported" | "late-arrival", now: number): void {
    this.#reorderingMultiplier++;
    this.#windowPersists = recoveriesToPersist;
    this.#tellWindow(trigger, now);
  }

  /** RACK.reo_wnd (RFC 8985 §6.2 step 4). */
  reorderingWindow(lossIsLikely: boolean): number {
    if (!this.#reorderingSeen && lossIsLikely) return 0;
    return Math.min((this.#reorderingMultiplier * this.#roundTrip.minimum) / 4, this.#roundTrip.smoothed);
  }

  #tellLost({ start, end, transmissions, sentAt }: SentRange, window: number, now: number): void {
    this.#trace?.(
      {
        name: "recovery:range-lost",
        section: "RFC 8985 §6.2",
        cause: "reordering-window",
        start,
        end,
        transmissions,
        ageMicroseconds: now - sentAt,
        rackRttMicroseconds: this.#rtt,
        reorderingWindowMicroseconds: window,
        duplicateAcknowledgements: 0,
      },
      now,
    );
  }

  #tellWait(wait: number, window: number, lossIsLikely: boolean, sackedBytes: number, now: number): void {
    this.#trace?.(
      {
        name: "recovery:reordering-timer-set",
        section: "RFC 8985 §6.2",
        delayMicroseconds: wait,
        rackRttMicroseconds: this.#rtt,
        reorderingWindowMicroseconds: window,
        reorderingSeen: this.#reorderingSeen,
        lossIsLikely,
        sackedBytes,
      },
      now,
    );
  }

  #tellWindow(trigger: "duplicate-reported" | "late-arrival" | "recoveries-without-duplicate", now: number): void {
    this.#trace?.(
      {
        name: "recovery:reordering-window-changed",
        section: "RFC 8985 §6.2",
        trigger,
        multiplier: this.#reorderingMultiplier,
        persistence: Math.max(0, this.#windowPersists),
        reorderingSeen: this.#reorderingSeen,
        minimumRttMicroseconds: this.#roundTrip.minimum,
        smoothedRttMicroseconds: this.#roundTrip.smoothed,
        reorderingWindowMicroseconds: this.reorderingWindow(true),
      },
      now,
    );
  }
}

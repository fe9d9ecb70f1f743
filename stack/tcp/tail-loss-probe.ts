/** The one tail loss probe that may be under way: when it is due, and what its acknowledgement tells (RFC 8985 §7). */

import type { ProbeOutcome } from "../tcp-decisions.ts";
import type { DuplicateSack } from "./duplicate-sack.ts";
import type { DecisionRecorder } from "./tcp-journal.ts";
import { timer, type TimerTable } from "./timers.ts";

/** How long the peer may delay the acknowledgement of a single segment (§7.2). */
const delayedAckAllowance = 50_000;

export class TailLossProbe {
  readonly #timers: TimerTable;
  readonly #trace: DecisionRecorder | undefined;
  /** What was told last of the timer. */
  #verdict: "set" | "timeout-comes-first" | undefined;
  /** TLP.end_seq; -1: none is under way. */
  #end = -1;
  #isRetransmission = false;

  constructor(timers: TimerTable, trace: DecisionRecorder | undefined) {
    this.#timers = timers;
    this.#trace = trace;
  }

  get outstanding(): boolean {
    return this.#end >= 0;
  }

  /** After two round trips of silence. Where the timeout comes first, it shall: a probe in its stead would delay the other subflows' taking over. */
  schedule(
    smoothedRttMicroseconds: number,
    timeoutMicroseconds: number,
    outstandingBytes: number,
    segmentSize: number,
    now: number,
  ): void {
    let wait = 2 * smoothedRttMicroseconds + 2_000;
    if (outstandingBytes <= segmentSize) wait += delayedAckAllowance;
    if (wait < timeoutMicroseconds) this.#timers.set(timer.lossProbe, now + wait);
    else this.#timers.stop(timer.lossProbe);
    if (this.#trace !== undefined)
      this.#tellScheduled(this.#trace, wait, smoothedRttMicroseconds, timeoutMicroseconds, outstandingBytes, now);
  }

  /** Apart, so that `schedule`, which each segment calls, is small enough to be inlined: numbers that are passed to a function of its own are boxed. */
  #tellScheduled(
    record: DecisionRecorder,
    delayMicroseconds: number,
    smoothedRttMicroseconds: number,
    timeoutMicroseconds: number,
    outstandingBytes: number,
    now: number,
  ): void {
    const verdict = delayMicroseconds < timeoutMicroseconds ? "set" : "timeout-comes-first";
    if (verdict === this.#verdict) return;
    this.#verdict = verdict;
    record(
      {
        name: "recovery:probe-scheduled",
        section: "RFC 8985 §7.2",
        verdict,
        delayMicroseconds,
        smoothedRttMicroseconds,
        timeoutMicroseconds,
        outstandingBytes,
      },
      now,
    );
  }

  noteSent(start: number, end: number, isRetransmission: boolean, now: number): void {
    this.#end = end;
    this.#isRetransmission = isRetransmission;
    const name = "recovery:probe-sent";
    this.#trace?.({ name, section: "RFC 8985 §7.3", start, end, newData: !isRetransmission }, now);
  }

  /** The timeout has come: what the probe would have told is known. */
  forget(now: number): void {
    if (this.#end < 0) return;
    this.#tell("unanswered", false, now);
    this.#end = -1;
  }

  /** True: the probe has repaired a loss of which nothing else tells, and congestion control must hear of it (§7.4.2). */
  repairedLoss(
    acknowledged: number,
    duplicateSack: DuplicateSack,
    isDuplicateWithoutSack: boolean,
    now: number,
  ): boolean {
    const end = this.#end;
    if (end < 0 || acknowledged < end) return false;
    const duplicateReported = duplicateSack.present && duplicateSack.end === end;
    const outcome = this.#outcome(acknowledged > end, duplicateReported, isDuplicateWithoutSack);
    if (outcome === undefined) return false;
    this.#tell(outcome, duplicateReported, now);
    this.#end = -1;
    return outcome === "repaired-loss";
  }

  /** undefined: the next acknowledgement tells. */
  #outcome(beyond: boolean, reported: boolean, isDuplicateWithoutSack: boolean): ProbeOutcome | undefined {
    if (!this.#isRetransmission) return "new-data";
    if (reported) return "both-arrived";
    if (beyond) return "repaired-loss";
    // Original and probe have both arrived, and the peer does not say so by D-SACK.
    return isDuplicateWithoutSack ? "both-arrived" : undefined;
  }

  #tell(outcome: ProbeOutcome, duplicateReported: boolean, now: number): void {
    const name = "recovery:probe-answered";
    this.#trace?.({ name, section: "RFC 8985 §7.4.2", outcome, end: this.#end, duplicateReported }, now);
  }
}

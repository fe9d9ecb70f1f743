/**
 * F-RTO (RFC 5682 §2.1, §3.1): after a timeout only the first segment is sent again; new data follow its acknowledgement, and the next one tells
 * whether the others had arrived all the while.
 */

import type { ForwardRtoVerdict } from "../tcp-decisions.ts";
import type { DecisionRecorder } from "./tcp-journal.ts";

export class ForwardRto {
  readonly #trace: DecisionRecorder | undefined;
  #step: "off" | "first-retransmitted" | "new-data" = "off";
  /** SND.NXT when new data were allowed. */
  #next = 0;

  constructor(trace: DecisionRecorder | undefined) {
    this.#trace = trace;
  }

  /** `outstanding` bytes were not acknowledged within the timeout. */
  begin(outstanding: number, timeoutMicroseconds: number, now: number): void {
    this.#step = "first-retransmitted";
    this.#trace?.(
      {
        name: "recovery:forward-rto-begun",
        section: "RFC 5682 §2.1",
        outstandingBytes: outstanding,
        timeoutMicroseconds,
      },
      now,
    );
  }

  stop(): void {
    this.#step = "off";
  }

  /** Another timeout. */
  abandon(sackPermitted: boolean, now: number): void {
    if (this.#step === "off") return;
    this.#tell(this.#step, "timed-out-again", false, false, false, sackPermitted, now);
    this.#step = "off";
  }

  /** What is marked lost waits: new data are to be sent, once. */
  get prefersNewData(): boolean {
    return this.#step === "new-data";
  }

  /** There were no new data to send: conventional recovery (step 2b). */
  stopWithoutNewData(next: number, sackPermitted: boolean, now: number): void {
    if (this.#step !== "new-data" || next !== this.#next) return;
    this.#step = "off";
    this.#tell("new-data", "no-new-data", false, false, false, sackPermitted, now);
  }

  /**
   * An acknowledgement after the timeout: true: the timeout was spurious. `progress`: it acknowledges something new cumulatively; `recovered`: all that was sent
   * before the timeout; `newlySacked`: it acknowledges selectively.
   */
  isSpurious(
    progress: boolean,
    recovered: boolean,
    newlySacked: boolean,
    sackPermitted: boolean,
    next: number,
    now: number,
  ): boolean {
    const step = this.#step;
    if (step === "off") return false;
    const verdict =
      step === "first-retransmitted"
        ? this.#judgeFirst(progress, recovered, sackPermitted, next)
        : this.#judgeNewData(progress, newlySacked, sackPermitted);
    this.#tell(step, verdict, progress, recovered, newlySacked, sackPermitted, now);
    return verdict === "spurious";
  }

  /** Step 2. */
  #judgeFirst(progress: boolean, recovered: boolean, sackPermitted: boolean, next: number): ForwardRtoVerdict {
    if (recovered || (!progress && !sackPermitted)) {
      this.#step = "off";
      return "conventional";
    }
    if (!progress) return "waits";
    this.#step = "new-data";
    this.#next = next;
    return "sends-new-data";
  }

  /** Step 3: the old data have arrived all the while, or the new ones alone have. */
  #judgeNewData(progress: boolean, newlySacked: boolean, sackPermitted: boolean): ForwardRtoVerdict {
    if (!progress && !newlySacked && sackPermitted) return "waits";
    this.#step = "off";
    return progress ? "spurious" : "conventional";
  }

  #tell(
    step: "first-retransmitted" | "new-data",
    verdict: ForwardRtoVerdict,
    progress: boolean,
    recovered: boolean,
    newlySacked: boolean,
    sackPermitted: boolean,
    now: number,
  ): void {
    const section = sackPermitted ? "RFC 5682 §3.1" : "RFC 5682 §2.1";
    const name = "recovery:forward-rto-judged";
    this.#trace?.({ name, section, step, verdict, progress, recovered, newlySacked, sackPermitted }, now);
  }
}

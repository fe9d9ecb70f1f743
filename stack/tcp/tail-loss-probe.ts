/** The one tail loss probe that may be under way, and what its acknowledgement tells (RFC 8985 §7.3, §7.4). */

import type { DuplicateSack } from "./duplicate-sack.ts";

export class TailLossProbe {
  /** TLP.end_seq; -1: none is under way. */
  #end = -1;
  #isRetransmission = false;

  get outstanding(): boolean {
    return this.#end >= 0;
  }

  noteSent(end: number, isRetransmission: boolean): void {
    this.#end = end;
    this.#isRetransmission = isRetransmission;
  }

  forget(): void {
    this.#end = -1;
  }

  /** True: the probe has repaired a loss of which nothing else tells, and congestion control must hear of it (§7.4.2). */
  repairedLoss(acknowledged: number, duplicateSack: DuplicateSack, isDuplicateWithoutSack: boolean): boolean {
    if (this.#end < 0 || acknowledged < this.#end) return false;
    if (!this.#isRetransmission || (duplicateSack.present && duplicateSack.end === this.#end)) this.#end = -1;
    else if (acknowledged > this.#end) {
      this.#end = -1;
      return true;
    } else if (isDuplicateWithoutSack) this.#end = -1; // Original and probe have both arrived, and the peer does not say so by D-SACK.
    return false;
  }
}

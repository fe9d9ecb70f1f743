/**
 * F-RTO (RFC 5682 §2.1, §3.1): after a timeout only the first segment is sent again; new data follow its acknowledgement, and the next one tells
 * whether the others had arrived all the while.
 */
export class ForwardRto {
  #step: "off" | "first-retransmitted" | "new-data" = "off";
  /** SND.NXT when new data were allowed. */
  #next = 0;

  begin(): void {
    this.#step = "first-retransmitted";
  }

  stop(): void {
    this.#step = "off";
  }

  /** What is marked lost waits: new data are to be sent, once. */
  get prefersNewData(): boolean {
    return this.#step === "new-data";
  }

  /** There were no new data to send: conventional recovery (step 2b). */
  stopWithoutNewData(next: number): void {
    if (this.#step === "new-data" && next === this.#next) this.#step = "off";
  }

  /**
   * An acknowledgement after the timeout: true: the timeout was spurious. `progress`: it acknowledges something new cumulatively; `recovered`: all that was sent
   * before the timeout; `newlySacked`: it acknowledges selectively.
   */
  isSpurious(progress: boolean, recovered: boolean, newlySacked: boolean, sack: boolean, next: number): boolean {
    if (this.#step === "first-retransmitted") {
      if (recovered || (!progress && !sack)) this.#step = "off"; // Step 2a.
      else if (progress) {
        this.#step = "new-data";
        this.#next = next;
      }
      return false;
    }
    if (this.#step !== "new-data") return false;
    if (progress) {
      this.#step = "off"; // Step 3b.
      return true;
    }
    if (newlySacked || !sack) this.#step = "off"; // Step 3a: the new data have arrived, the old have not.
    return false;
  }
}

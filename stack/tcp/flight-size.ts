/**
 * FlightSize, from which a loss reduces the window (RFC 5681 §3.1, equation 4): the most that was outstanding in this round trip and the one before. At the very moment
 * that a loss is seen it may be next to nothing: a sender that was kept from running for a while finds a burst of acknowledgements first.
 */
export class FlightSize {
  #previous = 0;
  #current = 0;
  #roundEnd = 0;

  /** Bytes, now and in the latest two rounds. */
  get bytes(): number {
    return Math.max(this.#previous, this.#current);
  }

  onSent(outstanding: number): void {
    if (outstanding > this.#current) this.#current = outstanding;
  }

  /** `unacknowledged` and `next` are offsets of the subflow (SND.UNA, SND.NXT). */
  onAcknowledged(unacknowledged: number, next: number): void {
    if (unacknowledged < this.#roundEnd) return;
    this.#previous = this.#current;
    this.#current = next - unacknowledged;
    this.#roundEnd = next;
  }
}

/** The least round trip of late (RFC 8985 §6.2 step 1): the least of all time would be wrong for good once a connection has moved to a longer path. */

/** Values count for one to two of these; Linux forgets after five minutes (tcp_min_rtt_wlen). */
const span = 150_000_000;

export class WindowedMinimum {
  #began = Number.NEGATIVE_INFINITY;
  #present: number = Number.POSITIVE_INFINITY;
  #previous: number = Number.POSITIVE_INFINITY;

  /** Infinity: nothing has been noted. */
  get value(): number {
    return Math.min(this.#present, this.#previous);
  }

  note(value: number, now: number): void {
    if (now - this.#began >= span) {
      this.#previous = now - this.#began < 2 * span ? this.#present : Number.POSITIVE_INFINITY;
      this.#present = Number.POSITIVE_INFINITY;
      this.#began = now;
    }
    if (value < this.#present) this.#present = value;
  }
}

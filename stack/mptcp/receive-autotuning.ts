/**
 * How large the receive window has to be, learnt from what the application reads (dynamic right-sizing: Fisk and Feng, 2001; as Linux does it): twice what was read in a
 * round trip lets the sender double, and is what a path that loses a segment needs (NSDI'12 §4.2: 2 · Σ rates · largest round trip). So a
 * connection at rest has little to hold, and a fast one gets up to the buffer that it may have.
 */

/** As Linux's default: little for a server of many idle connections, ten round trips of slow start. */
const initialBytes = 131_072;
/** So that the measurement of a short round trip is not one of single reads. */
const shortestIntervalMicroseconds = 1_000;

/** What was read in a round trip, what of it counts, how long the round trip was, and the limit before. */
export type TuningObserver = (
  readBytes: number,
  sustainedBytes: number,
  elapsedMicroseconds: number,
  formerLimit: number,
) => void;

export class ReceiveAutotuning {
  /** What may be held now. */
  limit: number;
  readonly #maximum: number;
  #intervalStart = 0;
  #consumedBefore = 0;
  #previousRead = 0;
  /** The most that was read in a round trip. */
  #largestRead = 0;

  /** `maximum`: bytes that the connection may hold at most. */
  constructor(maximum: number) {
    this.#maximum = maximum;
    this.limit = Math.min(initialBytes, maximum);
  }

  /**
   * The application has read up to data offset `consumed`; `rttMicroseconds` is the largest round trip of the subflows, 0: not known. True: `limit` has grown. It never
   * shrinks: what was promised to the peer cannot be taken back (RFC 9293 §3.8.6).
   */
  onRead(consumed: number, rttMicroseconds: number, now: number, tell?: TuningObserver): boolean {
    if (this.#intervalStart === 0) this.#intervalStart = now;
    const elapsed = now - this.#intervalStart;
    if (rttMicroseconds === 0 || elapsed < Math.max(shortestIntervalMicroseconds, rttMicroseconds)) return false;
    const read = (consumed - this.#consumedBefore) * (rttMicroseconds / elapsed);
    // What had waited for a gap to be filled comes at once, and says nothing of the rate: no sender more than doubles.
    const sustained = this.#previousRead === 0 ? read : Math.min(read, 2 * this.#previousRead);
    this.#previousRead = read;
    this.#intervalStart = now;
    this.#consumedBefore = consumed;
    const formerLimit = this.limit;
    this.#grow(sustained);
    tell?.(read, sustained, elapsed, formerLimit);
    return this.limit > formerLimit;
  }

  #grow(sustained: number): void {
    const before = this.#largestRead;
    if (sustained <= before) return;
    this.#largestRead = sustained;
    // While the sender grows, the window has to be ahead of it by a round trip.
    const growth = before === 0 ? 1 : Math.min(1, (sustained - before) / before);
    const wanted = Math.min(this.#maximum, Math.ceil(2 * sustained * (1 + growth)));
    if (wanted > this.limit) this.limit = wanted;
  }
}

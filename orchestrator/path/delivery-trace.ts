/** What one opportunity of a trace carries: a full Ethernet frame (1500 bytes of IP packet). Smaller packets share one, longer ones take several. */
export const opportunityBytes = 1514;

/**
 * A link whose rate is a recorded one, in Mahimahi's sense: a list of moments at each of which so many bytes may leave, over and over. An opportunity for which
 * nothing waits is lost.
 */
export class DeliveryTrace {
  readonly #moments: readonly number[];
  readonly #periodMilliseconds: number;
  /** Number of the opportunity that packets leave at now, over all rounds, and what is left of it. */
  #current = -1;
  #left = 0;

  /** @param opportunitiesMilliseconds never decreasing; the last, above 0, is the length of a round */
  constructor(opportunitiesMilliseconds: readonly number[]) {
    this.#moments = opportunitiesMilliseconds;
    this.#periodMilliseconds = opportunitiesMilliseconds.at(-1)!;
  }

  /** When the last byte of a packet leaves whose first could leave at `start`. The times of calls never decrease. */
  finish(start: number, bytes: number): number {
    if (this.#current < 0 || this.#timeOf(this.#current) < start) {
      this.#current = this.#firstFrom(start);
      this.#left = opportunityBytes;
    }
    let wanted = bytes;
    while (wanted > this.#left) {
      wanted -= this.#left;
      this.#current++;
      this.#left = opportunityBytes;
    }
    this.#left -= wanted;
    return this.#timeOf(this.#current);
  }

  /** Microseconds. */
  #timeOf(number: number): number {
    const round = Math.floor(number / this.#moments.length);
    return 1000 * (round * this.#periodMilliseconds + this.#moments[number % this.#moments.length]!);
  }

  /** The first that is not before a time and was not used up. */
  #firstFrom(time: number): number {
    const round = Math.floor(time / (1000 * this.#periodMilliseconds));
    let low = Math.max(this.#current + 1, (round - 1) * this.#moments.length, 0);
    let high = (round + 2) * this.#moments.length;
    while (low < high) {
      const middle = Math.floor((low + high) / 2);
      if (this.#timeOf(middle) < time) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}

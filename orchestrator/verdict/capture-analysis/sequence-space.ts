/** Turns 32-bit sequence numbers that wrap into offsets from the first one that never do: a number is taken to be the one nearest to the highest so far. */
export class SequenceSpace {
  readonly first: number;
  #highest = 0;

  /** `first`: the sequence number of offset 0. */
  constructor(first: number) {
    this.first = first >>> 0;
  }

  /** Negative for what lies before the first. */
  offset(sequence: number): number {
    const offset = this.#highest + ((sequence - this.first - this.#highest) | 0);
    if (offset > this.#highest) this.#highest = offset;
    return offset;
  }
}

/** Which bytes of a stream were seen: a contiguous beginning, and islands behind holes. Offsets are safe integers, never wrapped. */
export class ByteRanges {
  #contiguousEnd = 0;
  /** Disjoint, not touching, ascending, all behind `contiguousEnd`: island i is [starts[i], ends[i]). */
  readonly #starts: number[] = [];
  readonly #ends: number[] = [];

  /** All bytes before it were seen. */
  get contiguousEnd(): number {
    return this.#contiguousEnd;
  }

  /** One past the last byte that was seen. */
  get end(): number {
    return this.#ends.at(-1) ?? this.#contiguousEnd;
  }

  /** Marks [start, end) and returns how many of its bytes were new. */
  add(start: number, end: number): number {
    if (end <= this.#contiguousEnd) return 0;
    const from = Math.max(start, this.#contiguousEnd);
    return from === this.#contiguousEnd ? this.#extend(end) : this.#insert(from, end);
  }

  /** The contiguous beginning grows to `end` and over the islands that it meets. */
  #extend(end: number): number {
    let fresh = end - this.#contiguousEnd;
    let met = 0;
    while (met < this.#starts.length && this.#starts[met]! <= end) {
      fresh -= Math.min(end, this.#ends[met]!) - this.#starts[met]!;
      met += 1;
    }
    this.#contiguousEnd = met === 0 ? end : Math.max(end, this.#ends[met - 1]!);
    if (met > 0) this.#replace(0, met);
    return fresh;
  }

  #insert(start: number, end: number): number {
    const first = this.#firstEndingAtOrAfter(start);
    let fresh = end - start;
    let last = first;
    while (last < this.#starts.length && this.#starts[last]! <= end) {
      fresh -= Math.min(end, this.#ends[last]!) - Math.max(start, this.#starts[last]!);
      last += 1;
    }
    const islandStart = last === first ? start : Math.min(start, this.#starts[first]!);
    const islandEnd = last === first ? end : Math.max(end, this.#ends[last - 1]!);
    this.#replace(first, last, islandStart, islandEnd);
    return fresh;
  }

  #replace(from: number, to: number, ...island: [] | [start: number, end: number]): void {
    const [start, end] = island;
    if (start === undefined || end === undefined) {
      this.#starts.splice(from, to - from);
      this.#ends.splice(from, to - from);
    } else if (to - from === 1) {
      this.#starts[from] = start;
      this.#ends[from] = end;
    } else {
      this.#starts.splice(from, to - from, start);
      this.#ends.splice(from, to - from, end);
    }
  }

  #firstEndingAtOrAfter(offset: number): number {
    let low = 0;
    let high = this.#ends.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.#ends[middle]! < offset) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}

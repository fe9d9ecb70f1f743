/** Which bytes of a stream were seen: a contiguous beginning, and islands behind holes. Offsets are safe integers, never wrapped. */
export class ByteRanges {
  #contiguousEnd = 0;
  /** Disjoint, ascending, all behind `contiguousEnd`; starts at even places, ends at odd ones. */
  #islands: number[] = [];

  /** All bytes before it were seen. */
  get contiguousEnd(): number {
    return this.#contiguousEnd;
  }

  /** One past the last byte that was seen. */
  get end(): number {
    return this.#islands.at(-1) ?? this.#contiguousEnd;
  }

  /** Marks [start, end) and returns how many of its bytes were new. */
  add(start: number, end: number): number {
    if (end <= this.#contiguousEnd) return 0;
    const from = Math.max(start, this.#contiguousEnd);
    if (this.#islands.length === 0 && from === this.#contiguousEnd) {
      this.#contiguousEnd = end;
      return end - from;
    }
    const fresh = end - from - this.#overlap(from, end);
    if (fresh > 0) this.#merge(from, end);
    return fresh;
  }

  #overlap(start: number, end: number): number {
    let sum = 0;
    for (let at = 0; at < this.#islands.length; at += 2) {
      sum += Math.max(0, Math.min(end, this.#islands[at + 1]!) - Math.max(start, this.#islands[at]!));
    }
    return sum;
  }

  #merge(start: number, end: number): void {
    const islands: number[] = [];
    let placed = false;
    for (let at = 0; at < this.#islands.length; at += 2) {
      const islandStart = this.#islands[at]!;
      const islandEnd = this.#islands[at + 1]!;
      if (islandEnd < start) {
        islands.push(islandStart, islandEnd);
      } else if (islandStart > end) {
        if (!placed) islands.push(start, end);
        placed = true;
        islands.push(islandStart, islandEnd);
      } else {
        start = Math.min(start, islandStart);
        end = Math.max(end, islandEnd);
      }
    }
    if (!placed) islands.push(start, end);
    if (islands[0]! <= this.#contiguousEnd) {
      this.#contiguousEnd = islands[1]!;
      islands.splice(0, 2);
    }
    this.#islands = islands;
  }
}

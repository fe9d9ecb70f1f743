/**
 * Packets by time of release, equal times in order of arrival: a binary heap in three parallel arrays, which allocates
 * only when it grows. Arrivals in order of release, the usual case, are placed without moving anything.
 */
export class ReleaseHeap<Packet> {
  #times = new Float64Array(64);
  #sequences = new Float64Array(64);
  readonly #packets: (Packet | undefined)[] = [];
  #length = 0;
  #nextSequence = 0;

  get length(): number {
    return this.#length;
  }

  /** Time of the first, Infinity when empty. */
  get firstTime(): number {
    return this.#length === 0 ? Infinity : this.#times[0]!;
  }

  push(packet: Packet, time: number): void {
    if (this.#length === this.#times.length) this.#grow();
    const sequence = this.#nextSequence++;
    let at = this.#length++;
    while (at > 0) {
      const parent = (at - 1) >> 1;
      // A later arrival goes before none of the same time.
      if (this.#times[parent]! <= time) break;
      this.#place(at, parent);
      at = parent;
    }
    this.#times[at] = time;
    this.#sequences[at] = sequence;
    this.#packets[at] = packet;
  }

  /** Removes the first. */
  shift(): Packet | undefined {
    if (this.#length === 0) return undefined;
    const first = this.#packets[0];
    const last = --this.#length;
    let at = 0;
    for (;;) {
      let child = 2 * at + 1;
      if (child >= last) break;
      if (child + 1 < last && this.#isBefore(child + 1, child)) child++;
      if (!this.#isBefore(child, last)) break;
      this.#place(at, child);
      at = child;
    }
    if (last > 0) this.#place(at, last);
    this.#packets[last] = undefined;
    return first;
  }

  #isBefore(a: number, b: number): boolean {
    const difference = this.#times[a]! - this.#times[b]!;
    return difference !== 0 ? difference < 0 : this.#sequences[a]! < this.#sequences[b]!;
  }

  #place(to: number, from: number): void {
    this.#times[to] = this.#times[from]!;
    this.#sequences[to] = this.#sequences[from]!;
    this.#packets[to] = this.#packets[from];
  }

  #grow(): void {
    const times = new Float64Array(this.#times.length * 2);
    times.set(this.#times);
    this.#times = times;
    const sequences = new Float64Array(this.#sequences.length * 2);
    sequences.set(this.#sequences);
    this.#sequences = sequences;
  }
}

/**
 * Timers by time, equal times in the order in which they were set: a binary heap over typed arrays that knows where each timer stands, so that setting one
 * anew or cancelling it moves entries and allocates nothing. A timer is a small integer.
 */
export class TimerQueue {
  /** By position in the heap. */
  #times: Float64Array<ArrayBuffer>;
  #sequences: Float64Array<ArrayBuffer>;
  #timers: Int32Array<ArrayBuffer>;
  /** By timer: its position, -1 when it is not set. */
  #positions: Int32Array<ArrayBuffer>;
  readonly #released: number[] = [];
  #created = 0;
  #length = 0;
  #nextSequence = 0;
  /** The one that `begin` gave last, which stands in the heap still; -1 for none. */
  #begun = -1;

  constructor(capacity = 64) {
    this.#times = new Float64Array(capacity);
    this.#sequences = new Float64Array(capacity);
    this.#timers = new Int32Array(capacity);
    this.#positions = new Int32Array(capacity);
  }

  /** How many timers are set. */
  get length(): number {
    return this.#begun < 0 ? this.#length : this.#length - 1;
  }

  /** Time of the first, Infinity when none is set; not between `begin` and `settle`. */
  get firstTime(): number {
    return this.#length === 0 ? Infinity : this.#times[0]!;
  }

  /** A timer, not set; its number is below that of timers that were created so far, or one above them. */
  create(): number {
    const timer = this.#released.pop() ?? this.#created++;
    if (timer === this.#positions.length) this.#grow();
    this.#positions[timer] = -1;
    return timer;
  }

  /** Takes a timer back, set or not: its number may be given out again. */
  release(timer: number): void {
    this.cancel(timer);
    this.#released.push(timer);
  }

  /** The time that a timer is set to, Infinity when it is not set. */
  timeOf(timer: number): number {
    const at = this.#positions[timer]!;
    return at < 0 || timer === this.#begun ? Infinity : this.#times[at]!;
  }

  /** Behind all that are set to the same time. A timer that is set to this very time already keeps its place. Infinity cancels. */
  set(timer: number, time: number): void {
    const at = this.#positions[timer]!;
    if (timer === this.#begun) {
      if (time === Infinity) return;
      this.#begun = -1;
    } else if (at >= 0 && this.#times[at] === time) {
      return;
    } else if (time === Infinity) {
      this.cancel(timer);
      return;
    }
    const sequence = this.#nextSequence++;
    if (at < 0) this.#up(this.#length++, time, sequence, timer);
    else this.#place(at, time, sequence, timer);
  }

  cancel(timer: number): void {
    const at = this.#positions[timer]!;
    if (at < 0) return;
    if (timer === this.#begun) this.#begun = -1;
    this.#positions[timer] = -1;
    const last = --this.#length;
    if (at !== last) this.#place(at, this.#times[last]!, this.#sequences[last]!, this.#timers[last]!);
  }

  /**
   * The first, -1 when none is set. It is not set any more; but its place is kept until `settle`, so that setting it anew, as most are, moves one entry instead
   * of two.
   */
  begin(): number {
    this.settle();
    if (this.#length === 0) return -1;
    return (this.#begun = this.#timers[0]!);
  }

  /** To be called when what was begun has been done. */
  settle(): void {
    if (this.#begun >= 0) this.cancel(this.#begun);
  }

  /** Puts an entry where `at` is free, or as far up or down from there as it belongs. */
  #place(at: number, time: number, sequence: number, timer: number): void {
    const parent = (at - 1) >> 1;
    if (at > 0 && this.#isBefore(time, sequence, parent)) this.#up(at, time, sequence, timer);
    else this.#down(at, time, sequence, timer);
  }

  #up(at: number, time: number, sequence: number, timer: number): void {
    while (at > 0) {
      const parent = (at - 1) >> 1;
      if (!this.#isBefore(time, sequence, parent)) break;
      this.#move(parent, at);
      at = parent;
    }
    this.#write(at, time, sequence, timer);
  }

  #down(at: number, time: number, sequence: number, timer: number): void {
    for (;;) {
      let child = 2 * at + 1;
      if (child >= this.#length) break;
      if (child + 1 < this.#length && this.#isBefore(this.#times[child + 1]!, this.#sequences[child + 1]!, child))
        child++;
      if (this.#isBefore(time, sequence, child)) break;
      this.#move(child, at);
      at = child;
    }
    this.#write(at, time, sequence, timer);
  }

  #isBefore(time: number, sequence: number, position: number): boolean {
    const other = this.#times[position]!;
    return time < other || (time === other && sequence < this.#sequences[position]!);
  }

  #move(from: number, to: number): void {
    this.#write(to, this.#times[from]!, this.#sequences[from]!, this.#timers[from]!);
  }

  #write(at: number, time: number, sequence: number, timer: number): void {
    this.#times[at] = time;
    this.#sequences[at] = sequence;
    this.#timers[at] = timer;
    this.#positions[timer] = at;
  }

  #grow(): void {
    const capacity = this.#positions.length * 2;
    this.#times = grown(this.#times, new Float64Array(capacity));
    this.#sequences = grown(this.#sequences, new Float64Array(capacity));
    this.#timers = grown(this.#timers, new Int32Array(capacity));
    this.#positions = grown(this.#positions, new Int32Array(capacity));
  }
}

function grown<Numbers extends Float64Array<ArrayBuffer> | Int32Array<ArrayBuffer>>(
  from: Numbers,
  to: Numbers,
): Numbers {
  to.set(from);
  return to;
}

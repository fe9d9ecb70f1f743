/** One direction of a connection, at data level, as seen at one host: what of the stream was there without a hole, and since when. */
import { ByteRanges } from "./byte-ranges.ts";
import { TimeBins } from "./time-bins.ts";

export class StreamTrace {
  readonly #data = new ByteRanges();
  readonly #progress: TimeBins;
  #firstAt: number | undefined;
  #lastAt: number | undefined;
  #longestGapMicroseconds = 0;
  #longestGapAt = 0;

  constructor(binMicroseconds: number) {
    this.#progress = new TimeBins(binMicroseconds);
  }

  /** Bytes [start, end) of the stream passed at `time`. Returns how many had not before. */
  add(time: number, start: number, end: number): number {
    const before = this.#data.contiguousEnd;
    const fresh = this.#data.add(start, end);
    const advanced = this.#data.contiguousEnd - before;
    if (advanced > 0) this.#advance(time, advanced);
    return fresh;
  }

  get bytes(): number {
    return this.#data.contiguousEnd;
  }

  /** Bytes seen behind a hole that never closed. */
  get bytesBehindHole(): number {
    return this.#data.end - this.#data.contiguousEnd;
  }

  get firstAt(): number | undefined {
    return this.#firstAt;
  }

  get lastAt(): number | undefined {
    return this.#lastAt;
  }

  /** Between two steps forward of the contiguous beginning. */
  get longestGap(): { readonly microseconds: number; readonly at: number } {
    return { microseconds: this.#longestGapMicroseconds, at: this.#longestGapAt };
  }

  get progress(): readonly number[] {
    return this.#progress.sums;
  }

  #advance(time: number, bytes: number): void {
    this.#progress.add(time, bytes);
    this.#firstAt ??= time;
    const gap = time - (this.#lastAt ?? time);
    if (gap > this.#longestGapMicroseconds) {
      this.#longestGapMicroseconds = gap;
      this.#longestGapAt = this.#lastAt!;
    }
    this.#lastAt = time;
  }
}

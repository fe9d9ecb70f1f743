/** The application's bytes that the peer has not acknowledged at the data level: a queue of its own chunks, never copied unless they are tiny. */

import type { SentRange } from "../tcp/sent-queue.ts";

/** Writes smaller than this are gathered, so that a segment does not consist of hundreds of pieces. */
const smallWrite = 512;
const gatherSize = 16_384;

interface Chunk {
  bytes: Uint8Array;
  /** Data offset of the first byte. */
  start: number;
  length: number;
}

export class SendBuffer {
  readonly #limit: number;
  #chunks: Chunk[] = [];
  /** Index of the first chunk that is not wholly acknowledged. */
  #first = 0;
  #acknowledged = 0;
  /** Data offset after the last byte. */
  end = 0;
  #gather: Uint8Array | undefined;
  #gathered = 0;

  constructor(limit: number) {
    this.#limit = limit;
  }

  get room(): number {
    return Math.max(0, this.#limit - (this.end - this.#acknowledged));
  }

  /** Takes the beginning of `chunk` that fits and returns its length. */
  write(chunk: Uint8Array): number {
    const length = Math.min(chunk.length, this.room);
    if (length === 0) return 0;
    if (length < smallWrite) this.#copySmall(chunk, length);
    else this.#chunks.push({ bytes: chunk, start: this.end, length });
    this.end += length;
    return length;
  }

  /** Everything before `offset` is acknowledged. */
  acknowledge(offset: number): void {
    this.#acknowledged = offset;
    while (
      this.#first < this.#chunks.length &&
      this.#chunks[this.#first]!.start + this.#chunks[this.#first]!.length <= offset
    ) {
      this.#first++;
    }
    if (this.#first > 64 && this.#first * 2 > this.#chunks.length) {
      this.#chunks.splice(0, this.#first);
      this.#first = 0;
    }
  }

  /** Gives `range` the bytes from data offset `start` on. */
  fill(range: SentRange, start: number, length: number): void {
    let index = this.#indexOf(start);
    while (length > 0) {
      const chunk = this.#chunks[index++]!;
      const inside = start - chunk.start;
      const taken = Math.min(length, chunk.length - inside);
      range.addPiece(chunk.bytes, inside, taken);
      start += taken;
      length -= taken;
    }
  }

  clear(): void {
    this.#chunks = [];
    this.#first = 0;
    this.#gather = undefined;
  }

  #copySmall(chunk: Uint8Array, length: number): void {
    if (this.#gather === undefined || this.#gathered + length > gatherSize) {
      this.#gather = new Uint8Array(gatherSize);
      this.#gathered = 0;
    }
    this.#gather.set(chunk.subarray(0, length), this.#gathered);
    const last = this.#chunks.at(-1);
    if (last !== undefined && this.#chunks.length > this.#first && last.bytes === this.#gather) last.length += length;
    else this.#chunks.push({ bytes: this.#gather.subarray(this.#gathered), start: this.end, length });
    this.#gathered += length;
  }

  /** The chunk that holds `offset`. */
  #indexOf(offset: number): number {
    let low = this.#first;
    let high = this.#chunks.length - 1;
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if (this.#chunks[middle]!.start <= offset) low = middle;
      else high = middle - 1;
    }
    return low;
  }
}

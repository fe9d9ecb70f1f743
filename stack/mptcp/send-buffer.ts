/** The application's bytes that the peer has not acknowledged at the data level: a queue of its own chunks, never copied unless they are tiny. */

import type { SentRange } from "../tcp/sent-queue.ts";
import { GatherMemory } from "./gather-memory.ts";

/** Writes smaller than this are gathered. */
const smallWrite = 512;
const noBytes = new Uint8Array(0);

interface Chunk {
  /** `length` bytes from `offset` on. */
  bytes: Uint8Array;
  offset: number;
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
  readonly #gather: GatherMemory;

  constructor(limit: number, gather: GatherMemory = new GatherMemory()) {
    this.#limit = limit;
    this.#gather = gather;
  }

  get room(): number {
    return Math.max(0, this.#limit - (this.end - this.#acknowledged));
  }

  /** Takes the beginning of `chunk` that fits, at most `limit` bytes, and returns its length. */
  write(chunk: Uint8Array, limit: number = Number.POSITIVE_INFINITY): number {
    const length = Math.min(chunk.length, this.room, limit);
    if (length === 0) return 0;
    const last = this.#chunks.at(-1);
    // The rest of what did not fit the time before.
    if (last !== undefined && goesOn(last, chunk, length)) last.length += length;
    else if (length < smallWrite) this.#copySmall(chunk, length);
    else this.#chunks.push({ bytes: chunk, offset: 0, start: this.end, length });
    this.end += length;
    return length;
  }

  /** Everything before `offset` is acknowledged: its memory is not held any more. */
  acknowledge(offset: number): void {
    this.#acknowledged = offset;
    const chunks = this.#chunks;
    for (let chunk = chunks[this.#first]; chunk !== undefined; chunk = chunks[this.#first]) {
      if (chunk.start + chunk.length > offset) break;
      chunk.bytes = noBytes;
      this.#first++;
    }
    if (this.#first < chunks.length && (this.#first <= 64 || this.#first * 2 <= chunks.length)) return;
    if (this.#first === chunks.length) this.#chunks = [];
    else chunks.splice(0, this.#first);
    this.#first = 0;
  }

  /** Gives `range` the bytes from data offset `start` on. */
  fill(range: SentRange, start: number, length: number): void {
    let index = this.#indexOf(start);
    while (length > 0) {
      const chunk = this.#chunks[index++]!;
      const inside = start - chunk.start;
      const taken = Math.min(length, chunk.length - inside);
      range.addPiece(chunk.bytes, chunk.offset + inside, taken);
      start += taken;
      length -= taken;
    }
  }

  clear(): void {
    this.#chunks = [];
    this.#first = 0;
  }

  #copySmall(chunk: Uint8Array, length: number): void {
    const gather = this.#gather;
    gather.add(chunk, length);
    const { bytes } = gather;
    const offset = gather.end - length;
    const last = this.#chunks.at(-1);
    if (last !== undefined && last.bytes === bytes && last.offset + last.length === offset) last.length += length;
    else this.#chunks.push({ bytes, offset, start: this.end, length });
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

/** Whether the first `length` bytes of `chunk` stand behind those of `held`, in the view that it has of its memory. */
function goesOn(held: Chunk, chunk: Uint8Array, length: number): boolean {
  const { bytes } = held;
  const end = held.offset + held.length;
  return bytes.buffer === chunk.buffer && bytes.byteOffset + end === chunk.byteOffset && end + length <= bytes.length;
}

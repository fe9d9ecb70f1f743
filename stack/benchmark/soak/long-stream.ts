/** A byte stream without end, made without work and checked by hash: what a soak sends. */

import { createHash, type Hash } from "node:crypto";
import { seededRandom } from "../../testing/random.ts";

/** A prime: bytes that a mistake moves by a multiple of 2³², or of a segment, are not those that belong there. */
const periodBytes = 16_777_213;
/** What is written at once. */
const chunkBytes = 1 << 20;
/** So many bytes have a hash of their own, so that a difference has a place. */
export const blockBytes: number = 2 ** 30;

/** The stream in order, as views of one buffer that never changes. */
export class LongStream {
  readonly #period: Buffer;
  #position = 0;

  constructor() {
    const random = seededRandom(24);
    const words = new Uint32Array(Math.ceil(periodBytes / 4));
    for (let i = 0; i < words.length; i++) words[i] = random();
    this.#period = Buffer.from(words.buffer, 0, periodBytes);
  }

  /** From where it stands; shorter at the end of the period. */
  next(limit: number = chunkBytes): Buffer {
    return this.#period.subarray(this.#position, Math.min(this.#position + Math.min(limit, chunkBytes), periodBytes));
  }

  /** So many bytes of `next` are used. */
  advance(bytes: number): void {
    this.#position = (this.#position + bytes) % periodBytes;
  }
}

/** SHA-256 of each block of a stream. */
export class BlockHashes {
  bytes = 0;
  /** Hexadecimal, of the blocks that are whole. */
  readonly finished: string[] = [];
  readonly #blockBytes: number;
  #hash: Hash = createHash("sha256");

  constructor(bytes: number = blockBytes) {
    this.#blockBytes = bytes;
  }

  update(bytes: Uint8Array): void {
    const room = this.#blockBytes - (this.bytes % this.#blockBytes);
    const own = bytes.length <= room ? bytes : bytes.subarray(0, room);
    this.#hash.update(own);
    this.bytes += own.length;
    if (own.length < room) return;
    this.finished.push(this.#hash.digest("hex"));
    this.#hash = createHash("sha256");
    if (bytes.length > room) this.update(bytes.subarray(room));
  }

  /** Of the block that is not whole. */
  get partial(): string {
    return this.#hash.copy().digest("hex");
  }
}

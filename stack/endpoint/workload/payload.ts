import { createHash } from "node:crypto";

/**
 * The bytes that a workload sends: 32-bit little-endian words, word i being a bijective mix of i (the finaliser of MurmurHash3) under a key made of
 * the seed. Any word differs from all others within 16 GiB, so a block that arrives at a wrong place, twice or not at all cannot go unnoticed;
 * any part can be made without the parts before it.
 */
export class Payload {
  readonly #seed: number;

  /** `seed`: a safe integer. */
  constructor(seed: number) {
    this.#seed = (seed ^ Math.imul(Math.floor(seed / 2 ** 32), 0x9e3779b1)) | 0;
  }

  /** Fresh memory with the bytes from `offset`. */
  chunk(offset: number, length: number): Uint8Array {
    const skipped = offset % 4;
    const words = new Int32Array((skipped + length + 3) >>> 2);
    const first = (offset - skipped) / 4;
    let done = 0;
    while (done < words.length) {
      const start = first + done;
      const key = mix((this.#seed + Math.imul(Math.floor(start / 2 ** 32), 0x85ebca6b)) | 0);
      const low = start % 2 ** 32;
      const end = Math.min(words.length, done + (2 ** 32 - low));
      fill(words, done, end, low | 0, key);
      done = end;
    }
    return new Uint8Array(words.buffer, skipped, length);
  }
}

/** `mix` of each counter, written out: with a call for each word it would take four times as long. */
function fill(words: Int32Array, from: number, to: number, counter: number, key: number): void {
  for (let index = from; index < to; index++) {
    let hash = counter ^ key;
    hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
    hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
    words[index] = hash ^ (hash >>> 16);
    counter = (counter + 1) | 0;
  }
}

/** A signed word: an unsigned one would be a number on the heap. */
function mix(value: number): number {
  let hash = value;
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return hash ^ (hash >>> 16);
}

/** Bytes that a sender makes at a time. */
export const payloadChunkBytes: number = 64 * 1024;

/** Hexadecimal SHA-256 of the first `bytes` bytes: what a receiver must have seen, computed without asking anyone. */
export function payloadSha256(seed: number, bytes: number): string {
  const payload = new Payload(seed);
  const hash = createHash("sha256");
  for (let offset = 0; offset < bytes; offset += payloadChunkBytes) {
    hash.update(payload.chunk(offset, Math.min(payloadChunkBytes, bytes - offset)));
  }
  return hash.digest("hex");
}

/** Seed of the response bytes of a request-response workload whose requests are made of `seed`. */
export function responseSeed(seed: number): number {
  return seed + 1;
}

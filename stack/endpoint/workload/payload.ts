import { createHash } from "node:crypto";

/** Bytes of a payload that are handed out at most at a time. */
export const payloadChunkBytes: number = 64 * 1024;

/** Bytes after which a payload begins anew: the largest prime below 2^20. */
export const payloadPeriod = 1_048_573;
/** Of the period about the golden section, so that neighbouring seeds begin far from each other. */
const startStep = 648_055;

/**
 * The bytes that a workload sends. All payloads read the same block of words, each different from all others, over and over; the seed says where one begins. Nothing
 * is made while it is sent, and nothing held: every chunk is a view of that block.
 *
 * Data that arrive at a wrong place go unnoticed only where that is a multiple of the period off, and what goes wrong by windows, segments or powers of two is not,
 * for the period is a prime. Payloads whose seeds differ, but not by a multiple of the period, differ at every offset.
 */
export class Payload {
  readonly #start: number;

  /** `seed`: a safe integer, not negative. */
  constructor(seed: number) {
    this.#start = ((seed % payloadPeriod) * startStep) % payloadPeriod;
  }

  /** The bytes from `offset`, at most `payloadChunkBytes` of them: memory that is everybody's, and is not to be written to. @throws RangeError */
  chunk(offset: number, length: number): Uint8Array {
    if (length > payloadChunkBytes)
      throw new RangeError(`${length} bytes of payload at a time, where ${payloadChunkBytes} are the most`);
    const from = (this.#start + offset) % payloadPeriod;
    return sharedBlock().subarray(from, from + length);
  }

  /** The bytes from `offset` up to `end`, in chunks. */
  *chunks(offset: number, end: number): Generator<Uint8Array, void> {
    for (; offset < end; offset += payloadChunkBytes)
      yield this.chunk(offset, Math.min(payloadChunkBytes, end - offset));
  }
}

let block: Uint8Array | undefined;

/** A period, and what a chunk may need beyond: the first bytes once more. */
function sharedBlock(): Uint8Array {
  return (block ??= makeBlock());
}

/** Little-endian words, word i being a bijective mix of i (the finaliser of MurmurHash3). */
function makeBlock(): Uint8Array {
  const words = new Int32Array((payloadPeriod + payloadChunkBytes + 3) >>> 2);
  for (let i = 0; i < words.length; i++) {
    let word = i;
    word = Math.imul(word ^ (word >>> 16), 0x85ebca6b);
    word = Math.imul(word ^ (word >>> 13), 0xc2b2ae35);
    words[i] = word ^ (word >>> 16);
  }
  const bytes = new Uint8Array(words.buffer);
  bytes.copyWithin(payloadPeriod, 0, payloadChunkBytes);
  return bytes;
}

/** Hexadecimal SHA-256 of the first `bytes` bytes: what a receiver must have seen, computed without asking anyone. */
export function payloadSha256(seed: number, bytes: number): string {
  const hash = createHash("sha256");
  for (const chunk of new Payload(seed).chunks(0, bytes)) hash.update(chunk);
  return hash.digest("hex");
}

/** Seed of the response bytes of a request-response workload whose requests are made of `seed`. */
export function responseSeed(seed: number): number {
  return seed + 1;
}

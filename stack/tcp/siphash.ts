/**
 * SipHash-2-4 (Aumasson and Bernstein, INDOCRYPT 2012): a keyed pseudo-random function for short messages, a hundred times as fast here as HMAC-SHA-256. For numbers that
 * nobody outside may foresee and that have to be computed for every SYN of a flood; what the protocol itself authenticates stays with HMAC.
 */

import type { Uint64 } from "../wire/sequence.ts";

/** 128 bits. */
export type SipKey = readonly [number, number, number, number];

/** A key from unsigned 32-bit random numbers. */
export function randomSipKey(random: () => number): SipKey {
  return [random() >>> 0, random() >>> 0, random() >>> 0, random() >>> 0];
}

/* The state: four 64-bit numbers in halves. One function runs at a time and none of it survives. */
let v0High = 0;
let v0Low = 0;
let v1High = 0;
let v1Low = 0;
let v2High = 0;
let v2Low = 0;
let v3High = 0;
let v3Low = 0;

const carry = (sumLow: number, addend: number): number => (sumLow >>> 0 < addend >>> 0 ? 1 : 0);

function round(): void {
  // v0 += v1; v1 <<<= 13; v1 ^= v0; v0 <<<= 32
  v0Low = (v0Low + v1Low) | 0;
  v0High = (v0High + v1High + carry(v0Low, v1Low)) | 0;
  let high = (v1High << 13) | (v1Low >>> 19);
  v1Low = ((v1Low << 13) | (v1High >>> 19)) ^ v0Low;
  v1High = high ^ v0High;
  high = v0High;
  v0High = v0Low;
  v0Low = high;
  // v2 += v3; v3 <<<= 16; v3 ^= v2
  v2Low = (v2Low + v3Low) | 0;
  v2High = (v2High + v3High + carry(v2Low, v3Low)) | 0;
  high = (v3High << 16) | (v3Low >>> 16);
  v3Low = ((v3Low << 16) | (v3High >>> 16)) ^ v2Low;
  v3High = high ^ v2High;
  // v0 += v3; v3 <<<= 21; v3 ^= v0
  v0Low = (v0Low + v3Low) | 0;
  v0High = (v0High + v3High + carry(v0Low, v3Low)) | 0;
  high = (v3High << 21) | (v3Low >>> 11);
  v3Low = ((v3Low << 21) | (v3High >>> 11)) ^ v0Low;
  v3High = high ^ v0High;
  // v2 += v1; v1 <<<= 17; v1 ^= v2; v2 <<<= 32
  v2Low = (v2Low + v1Low) | 0;
  v2High = (v2High + v1High + carry(v2Low, v1Low)) | 0;
  high = (v1High << 17) | (v1Low >>> 15);
  v1Low = ((v1Low << 17) | (v1High >>> 15)) ^ v2Low;
  v1High = high ^ v2High;
  high = v2High;
  v2High = v2Low;
  v2Low = high;
}

function compress(low: number, high: number): void {
  v3Low ^= low;
  v3High ^= high;
  round();
  round();
  v0Low ^= low;
  v0High ^= high;
}

/** Of a message of unsigned 32-bit words, each in little-endian order. */
export function sipHash(key: SipKey, ...words: readonly number[]): Uint64 {
  const [k0Low, k0High, k1Low, k1High] = key;
  v0Low = k0Low ^ 0x70736575;
  v0High = k0High ^ 0x736f6d65;
  v1Low = k1Low ^ 0x6e646f6d;
  v1High = k1High ^ 0x646f7261;
  v2Low = k0Low ^ 0x6e657261;
  v2High = k0High ^ 0x6c796765;
  v3Low = k1Low ^ 0x79746573;
  v3High = k1High ^ 0x74656462;
  const pairs = words.length >> 1;
  for (let i = 0; i < pairs; i++) compress(words[2 * i]! | 0, words[2 * i + 1]! | 0);
  const rest = words.length & 1 ? words[words.length - 1]! | 0 : 0;
  compress(rest, ((4 * words.length) & 255) << 24);
  v2Low ^= 0xff;
  round();
  round();
  round();
  round();
  return { high: (v0High ^ v1High ^ v2High ^ v3High) >>> 0, low: (v0Low ^ v1Low ^ v2Low ^ v3Low) >>> 0 };
}

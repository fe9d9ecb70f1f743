/** Keys, tokens and authentication (RFC 8684 §3.1, §3.2, §3.4.1). */

import { type IpAddress, isIpv6 } from "../wire/ip-address.ts";
import { writeIpv6 } from "../wire/ipv6-address.ts";
import type { Uint64 } from "../wire/sequence.ts";
import { hmacSha256, putWord, sha256, wordAt } from "../wire/sha256.ts";

/** One side's key and what follows from it. */
export interface ConnectionKey {
  readonly key: Uint64;
  readonly token: number;
  /** The data sequence number of the first byte of data: the initial one plus 1, which MP_CAPABLE takes. */
  readonly firstDataSequence: Uint64;
}

export function deriveKey(key: Uint64): ConnectionKey {
  const digest = sha256(bytesOf(key.high, key.low));
  const { high, low } = lastEight(digest);
  return {
    key,
    token: wordAt(digest, 0) >>> 0,
    firstDataSequence: { high: low === 0xffff_ffff ? (high + 1) >>> 0 : high, low: (low + 1) >>> 0 },
  };
}

/** One by chance; `isFree`: a token in use would bring another connection's joins here (RFC 8684 §3.1), and another key is chosen. */
export function freshKey(random: () => number, isFree: (key: ConnectionKey) => boolean): ConnectionKey {
  for (;;) {
    const key = deriveKey({ high: random(), low: random() });
    if (isFree(key)) return key;
  }
}

/** With the same key, when the first `length` bytes of the stream have gone with the SYN: they stand before the initial data sequence number (RFC 8684, appendix B.2). */
export function behindSynData(key: ConnectionKey, length: number): ConnectionKey {
  const { high, low } = key.firstDataSequence;
  const firstDataSequence = { high: low < length ? (high - 1) >>> 0 : high, low: (low - length) >>> 0 };
  return { ...key, firstDataSequence };
}

/** HMAC of MP_JOIN: the sender's key and nonce come first; 32 bytes, of which the SYN/ACK carries 8 and the third ACK 20. */
export function joinHmac(sender: Uint64, receiver: Uint64, senderNonce: number, receiverNonce: number): Uint8Array {
  return hmacSha256(bytesOf(sender.high, sender.low, receiver.high, receiver.low), bytesOf(senderNonce, receiverNonce));
}

/** HMAC of ADD_ADDR: its rightmost 64 bits (RFC 8684 §3.4.1). Port 0: none announced. */
export function addAddressHmac(
  sender: Uint64,
  receiver: Uint64,
  addressId: number,
  address: IpAddress,
  port: number,
): Uint64 {
  const message = new Uint8Array(isIpv6(address) ? 19 : 7);
  const view = new DataView(message.buffer);
  view.setUint8(0, addressId);
  if (isIpv6(address)) writeIpv6(view, 1, address);
  else view.setUint32(1, address);
  view.setUint16(message.length - 2, port);
  return lastEight(hmacSha256(bytesOf(sender.high, sender.low, receiver.high, receiver.low), message));
}

/** Compares without stopping at the first difference. */
export function equalBytes(a: Uint8Array, b: Uint8Array, length: number): boolean {
  let difference = 0;
  for (let i = 0; i < length; i++) difference |= a[i]! ^ b[i]!;
  return difference === 0;
}

function lastEight(digest: Uint8Array): Uint64 {
  return { high: wordAt(digest, 24) >>> 0, low: wordAt(digest, 28) >>> 0 };
}

function bytesOf(...words: readonly number[]): Uint8Array {
  const bytes = new Uint8Array(4 * words.length);
  for (let i = 0; i < words.length; i++) putWord(bytes, 4 * i, words[i]!);
  return bytes;
}

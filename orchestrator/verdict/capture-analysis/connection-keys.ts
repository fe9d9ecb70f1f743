/** What the two keys of a connection decide (RFC 8684 §3.1, §3.2), with the SHA-256 of the platform: not the stack's own. */
import { createHash, createHmac } from "node:crypto";

/** The most significant 32 bits of the key's hash. */
export function tokenOfKey(key: Buffer): number {
  return createHash("sha256").update(key).digest().readUInt32BE(0);
}

/** The least significant 64 bits of the key's hash. */
export function initialDataSequenceNumber(key: Buffer): bigint {
  return createHash("sha256").update(key).digest().readBigUInt64BE(24);
}

/** Of the side whose key and nonce are `own`; 32 bytes, of which the SYN/ACK carries 8 and the ACK 20. */
export function joinHmac(own: { key: Buffer; nonce: Buffer }, other: { key: Buffer; nonce: Buffer }): Buffer {
  return createHmac("sha256", Buffer.concat([own.key, other.key]))
    .update(Buffer.concat([own.nonce, other.nonce]))
    .digest();
}

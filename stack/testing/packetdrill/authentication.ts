/** Tokens, initial data sequence numbers and HMACs of RFC 8684, by Node's own cryptography: a second witness beside the stack's. */

import { createHash, createHmac } from "node:crypto";
import { addressBytes } from "./address-text.ts";

/** The most significant 32 bits of the key's SHA-256 (RFC 8684 §3.2). */
export function tokenOf(key: bigint): number {
  return digestOf(key).readUInt32BE(0);
}

/** The least significant 64 bits of the key's SHA-256 (RFC 8684 §3.1). */
export function initialDataSequence(key: bigint): bigint {
  return digestOf(key).readBigUInt64BE(24);
}

/** MP_JOIN: what `sender` sends (RFC 8684 §3.2). 32 bytes. */
export function joinAuthenticator(
  sender: bigint,
  receiver: bigint,
  senderNonce: number,
  receiverNonce: number,
): Buffer {
  const message = Buffer.alloc(8);
  message.writeUInt32BE(senderNonce, 0);
  message.writeUInt32BE(receiverNonce, 4);
  return hmac(sender, receiver, message);
}

/** ADD_ADDR (RFC 8684 §3.4.1): the rightmost 64 bits. */
export function addressAuthenticator(
  sender: bigint,
  receiver: bigint,
  addressId: number,
  address: string,
  port: number,
): bigint {
  const portBytes = Buffer.alloc(2);
  portBytes.writeUInt16BE(port);
  const message = Buffer.concat([Uint8Array.of(addressId), addressBytes(address), portBytes]);
  return hmac(sender, receiver, message).readBigUInt64BE(24);
}

function hmac(sender: bigint, receiver: bigint, message: Buffer): Buffer {
  return createHmac("sha256", Buffer.concat([bytesOf(sender), bytesOf(receiver)]))
    .update(message)
    .digest();
}

function digestOf(key: bigint): Buffer {
  return createHash("sha256").update(bytesOf(key)).digest();
}

function bytesOf(key: bigint): Buffer {
  const bytes = Buffer.alloc(8);
  bytes.writeBigUInt64BE(BigInt.asUintN(64, key));
  return bytes;
}

/** The Internet checksum (RFC 1071): sums are kept unfolded, as plain numbers that stay exact for any frame. */

import type { Ipv6Address } from "./ipv6-address.ts";

/** Adds the 16-bit words of `length` bytes to `sum`; an odd last byte counts as the high half of a word. `offset` 0 of the data must be an even position. */
export function checksumAdd(sum: number, bytes: Uint8Array, offset: number, length: number): number {
  const end = offset + (length & ~1);
  for (let i = offset; i < end; i += 2) sum += (bytes[i]! << 8) | bytes[i + 1]!;
  if (length & 1) sum += bytes[end]! << 8;
  return sum;
}

/** As `checksumAdd`, for data that begin at an odd position of what is summed: the halves change places. */
export function checksumAddOdd(sum: number, bytes: Uint8Array, offset: number, length: number): number {
  if (length === 0) return sum;
  return checksumAdd(sum + bytes[offset]!, bytes, offset + 1, length - 1);
}

/** Folds to 16 bits without complementing: what a device with checksum offload wants in the field. */
export function checksumFold(sum: number): number {
  while (sum > 0xffff) sum = (sum % 0x10000) + Math.floor(sum / 0x10000);
  return sum;
}

export function checksumFinish(sum: number): number {
  return ~checksumFold(sum) & 0xffff;
}

/** The sum of the pseudo-header for `length` bytes of payload: addresses, protocol and length (RFC 9293 §3.1, RFC 8200 §8.1). IPv4 addresses are their 32 bits. */
export function pseudoHeaderSum(
  source: number | Ipv6Address,
  destination: number | Ipv6Address,
  protocol: number,
  length: number,
): number {
  return addressSum(source) + addressSum(destination) + protocol + length;
}

function addressSum(address: number | Ipv6Address): number {
  return typeof address === "number" ? (address >>> 16) + (address & 0xffff) : address.sum;
}

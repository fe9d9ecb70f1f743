/**
 * Which of several next hops of equal cost a flow takes (RFC 2992 compares the ways; this is modulo-N over a hash of the 5-tuple, scaled instead of divided). Own
 * code on purpose: the same seed must give the same paths for as long as there are bundles to replay. The flow label of IPv6 (RFC 6438) does not count: the ports are there
 * to be read, as no packet has an extension header.
 */
import type { IpAddress, Ipv6Address } from "../../stack/wire/ip-address.ts";

export interface FlowTuple {
  readonly source: IpAddress;
  readonly destination: IpAddress;
  readonly protocol: number;
  readonly sourcePort: number;
  readonly destinationPort: number;
}

/**
 * Addresses of IPv4 as 32-bit numbers, signed or not.
 *
 * @returns an unsigned 32-bit integer
 */
export function flowHash(
  seed: number,
  source: number | Ipv6Address,
  destination: number | Ipv6Address,
  protocol: number,
  sourcePort: number,
  destinationPort: number,
): number {
  // MurmurHash3 (32 bits) over four words, or ten.
  let hash = absorbAddress(absorbAddress(seed | 0, source), destination);
  hash = absorb(hash, (sourcePort << 16) | destinationPort);
  hash = absorb(hash, protocol) ^ (typeof source === "number" ? 16 : 40);
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return (hash ^ (hash >>> 16)) >>> 0;
}

/** The place of a flow among `count` next hops. */
export function pickNextHop(hash: number, count: number): number {
  return Math.floor((hash * count) / 2 ** 32);
}

function absorbAddress(hash: number, address: number | Ipv6Address): number {
  if (typeof address === "number") return absorb(hash, address | 0);
  return absorb(absorb(absorb(absorb(hash, address.word0), address.word1), address.word2), address.word3);
}

function absorb(hash: number, word: number): number {
  const mixed = Math.imul(word, 0xcc9e2d51);
  const turned = hash ^ Math.imul((mixed << 15) | (mixed >>> 17), 0x1b873593);
  return (Math.imul((turned << 13) | (turned >>> 19), 5) + 0xe6546b64) | 0;
}

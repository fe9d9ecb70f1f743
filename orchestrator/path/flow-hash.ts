/**
 * Which of several next hops of equal cost a flow takes (RFC 2992 compares the ways; this is modulo-N over a hash of the 5-tuple, scaled instead of divided). Own
 * code on purpose: the same seed must give the same paths for as long as there are bundles to replay.
 */

/** IPv4 addresses as unsigned 32-bit numbers. */
export interface FlowTuple {
  readonly source: number;
  readonly destination: number;
  readonly protocol: number;
  readonly sourcePort: number;
  readonly destinationPort: number;
}

/** @returns an unsigned 32-bit integer */
export function flowHash(
  seed: number,
  source: number,
  destination: number,
  protocol: number,
  sourcePort: number,
  destinationPort: number,
): number {
  // MurmurHash3 (32 bits) over four words.
  let hash = absorb(seed | 0, source | 0);
  hash = absorb(hash, destination | 0);
  hash = absorb(hash, (sourcePort << 16) | destinationPort);
  hash = absorb(hash, protocol) ^ 16;
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return (hash ^ (hash >>> 16)) >>> 0;
}

/** The place of a flow among `count` next hops. */
export function pickNextHop(hash: number, count: number): number {
  return Math.floor((hash * count) / 2 ** 32);
}

function absorb(hash: number, word: number): number {
  const mixed = Math.imul(word, 0xcc9e2d51);
  const turned = hash ^ Math.imul((mixed << 15) | (mixed >>> 17), 0x1b873593);
  return (Math.imul((turned << 13) | (turned >>> 19), 5) + 0xe6546b64) | 0;
}

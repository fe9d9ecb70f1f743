/**
 * Which of several next hops of equal cost a flow takes: the very choice of a Linux router, from 6.11 on, that has a `fib_multipath_hash_seed` and the
 * `fib_multipath_hash_policy` 3 over the 5-tuple, so that an experiment's flows take the same paths in the simulation and on kernels. Known from experiments with
 * that kernel, which `flow-hash.system.test.ts` of the namespaces repeats: SipHash-2-4 over the flow's key as it lies in the memory of a little-endian machine, then Jenkins' hash of
 * it, and next hops by hash-threshold (RFC 2992). The flow label of IPv6 (RFC 6438) does not count: the ports are there to be read, as no packet has an extension header.
 */
import { sipHash } from "../../stack/tcp/siphash.ts";
import type { IpAddress, Ipv6Address } from "../../stack/wire/ip-address.ts";

export interface FlowTuple {
  readonly source: IpAddress;
  readonly destination: IpAddress;
  readonly protocol: number;
  readonly sourcePort: number;
  readonly destinationPort: number;
}

/** The key's words that are not 0: the protocol is the third byte of its word, and the addresses are followed by a word of 0. */
const protocolWord = 0;
const portsWord = 7;
const addressWords = 9;
const ipv4KeyWords = addressWords + 2 + 1;
const ipv6KeyWords = addressWords + 8 + 1;
/** Signed or not: the bits count. */
const ipv4Key = Array.from({ length: ipv4KeyWords }, () => 0);
const ipv6Key = Array.from({ length: ipv6KeyWords }, () => 0);

/**
 * The same for both directions of a flow: the lower of its two addresses counts first, and the lower of its two ports, whichever ends they are of. Addresses of IPv4 as 32-bit numbers, signed or not.
 *
 * @param seed 1 to 2³² - 1: for a kernel 0 is no seed
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
  const key = typeof source === "number" ? ipv4Key : ipv6Key;
  key[protocolWord] = protocol << 16;
  const onePort = swapBytes16(sourcePort);
  const otherPort = swapBytes16(destinationPort);
  key[portsWord] = onePort < otherPort ? (otherPort << 16) | onePort : (onePort << 16) | otherPort;
  if (typeof source === "number") putIpv4Addresses(source, destination as number);
  else putIpv6Addresses(source, destination as Ipv6Address);
  return jenkinsHash(sipHash([seed, seed, seed, seed], ...key).low || 1);
}

/** The place of a flow among `count` next hops: each has the hashes up to its bound, which is rounded. */
export function pickNextHop(hash: number, count: number): number {
  const threshold = hash >>> 1;
  let place = 0;
  while (threshold >= Math.round(((place + 1) * 2 ** 31) / count)) place++;
  return place;
}

/** In the memory of a little-endian machine the first byte is the lowest, and so they are compared. */
function putIpv4Addresses(source: number, destination: number): void {
  const one = swapBytes32(source);
  const other = swapBytes32(destination);
  const inOrder = one >>> 0 <= other >>> 0;
  ipv4Key[addressWords] = inOrder ? one : other;
  ipv4Key[addressWords + 1] = inOrder ? other : one;
}

function putIpv6Addresses(source: Ipv6Address, destination: Ipv6Address): void {
  const inOrder = !isLower(destination, source);
  putIpv6Address(inOrder ? source : destination, addressWords);
  putIpv6Address(inOrder ? destination : source, addressWords + 4);
}

function putIpv6Address({ word0, word1, word2, word3 }: Ipv6Address, at: number): void {
  ipv6Key[at] = swapBytes32(word0);
  ipv6Key[at + 1] = swapBytes32(word1);
  ipv6Key[at + 2] = swapBytes32(word2);
  ipv6Key[at + 3] = swapBytes32(word3);
}

/** Byte by byte from the first. */
function isLower(a: Ipv6Address, b: Ipv6Address): boolean {
  if (a.word0 !== b.word0) return a.word0 >>> 0 < b.word0 >>> 0;
  if (a.word1 !== b.word1) return a.word1 >>> 0 < b.word1 >>> 0;
  if (a.word2 !== b.word2) return a.word2 >>> 0 < b.word2 >>> 0;
  return a.word3 >>> 0 < b.word3 >>> 0;
}

function swapBytes32(value: number): number {
  return (value << 24) | ((value & 0xff00) << 8) | ((value >>> 8) & 0xff00) | (value >>> 24);
}

function swapBytes16(value: number): number {
  return ((value & 0xff) << 8) | (value >>> 8);
}

/** Of two words, the second 0: a hash of what a tunnel carries would stand there (Bob Jenkins, lookup3.c: `hashword` with initval 0). */
function jenkinsHash(word: number): number {
  let c = (0xdeadbeef + 8) | 0;
  let b = c;
  let a = (c + word) | 0;
  c = ((c ^ b) - rotate(b, 14)) | 0;
  a = ((a ^ c) - rotate(c, 11)) | 0;
  b = ((b ^ a) - rotate(a, 25)) | 0;
  c = ((c ^ b) - rotate(b, 16)) | 0;
  a = ((a ^ c) - rotate(c, 4)) | 0;
  b = ((b ^ a) - rotate(a, 14)) | 0;
  return ((c ^ b) - rotate(b, 24)) >>> 0;
}

function rotate(word: number, bits: number): number {
  return (word << bits) | (word >>> (32 - bits));
}

/**
 * IPv6 addresses (RFC 4291) as objects of which there is one for each value, so that `===` and Map keys compare them as they do the numbers
 * of IPv4. What packets name is looked up in a cache of fixed size and forgotten with it; what is kept is the only one of its value for as
 * long as something refers to it. A flood from random addresses thus leaves nothing behind, and known peers cost no allocation per packet.
 */

import type { MacAddress } from "./ethernet.ts";

/** Words are signed: small integers for V8, never boxed. */
export class Ipv6Address {
  readonly word0: number;
  readonly word1: number;
  readonly word2: number;
  readonly word3: number;
  /** Of its eight 16-bit groups: its share of the checksum's pseudo-header (RFC 8200 §8.1). */
  readonly sum: number;

  /** For `ipv6FromWords`; another instance would not be equal to the one of its value. */
  constructor(word0: number, word1: number, word2: number, word3: number) {
    this.word0 = word0;
    this.word1 = word1;
    this.word2 = word2;
    this.word3 = word3;
    this.sum = halves(word0) + halves(word1) + halves(word2) + halves(word3);
  }
}

const recentSlots = 1024;
const smallestSweep = 1024;

const recent: (Ipv6Address | undefined)[] = Array.from({ length: recentSlots }, () => undefined);
const kept = new Map<string, WeakRef<Ipv6Address>>();
let sweepAt = smallestSweep;

/** The address of four 32-bit words. Who stores it for longer than a packet is handled stores what `keepIpv6` returns. */
export function ipv6FromWords(word0: number, word1: number, word2: number, word3: number): Ipv6Address {
  const a = word0 | 0;
  const b = word1 | 0;
  const c = word2 | 0;
  const d = word3 | 0;
  const slot = slotOf(a, b, c, d);
  const known = recent[slot];
  if (known !== undefined && known.word3 === d && known.word2 === c && known.word1 === b && known.word0 === a)
    return known;
  const address = kept.get(keyOf(a, b, c, d))?.deref() ?? new Ipv6Address(a, b, c, d);
  recent[slot] = address;
  return address;
}

export function readIpv6(view: DataView, offset: number): Ipv6Address {
  return ipv6FromWords(
    view.getInt32(offset),
    view.getInt32(offset + 4),
    view.getInt32(offset + 8),
    view.getInt32(offset + 12),
  );
}

export function writeIpv6(view: DataView, offset: number, address: Ipv6Address): void {
  view.setInt32(offset, address.word0);
  view.setInt32(offset + 4, address.word1);
  view.setInt32(offset + 8, address.word2);
  view.setInt32(offset + 12, address.word3);
}

/** The one object of this value, from now until nothing refers to it any more. */
export function keepIpv6({ word0, word1, word2, word3 }: Ipv6Address): Ipv6Address {
  const address = ipv6FromWords(word0, word1, word2, word3);
  const key = keyOf(word0, word1, word2, word3);
  const known = kept.get(key)?.deref();
  if (known !== undefined) {
    recent[slotOf(word0, word1, word2, word3)] = known;
    return known;
  }
  if (kept.size >= sweepAt) sweep();
  kept.set(key, new WeakRef(address));
  return address;
}

/** What parses as RFC 4291 §2.2 says; undefined for anything else, zone identifiers included. */
export function parseIpv6(text: string): Ipv6Address | undefined {
  const halvesOfText = text.split("::");
  if (halvesOfText.length > 2) return undefined;
  const head = parseGroups(halvesOfText[0]!, halvesOfText.length === 1);
  const tail = halvesOfText.length === 1 ? [] : parseGroups(halvesOfText[1]!, true);
  if (head === undefined || tail === undefined) return undefined;
  const missing = 8 - head.length - tail.length;
  if (halvesOfText.length === 1 ? missing !== 0 : missing < 1) return undefined;
  const groups = [...head, ...Array.from({ length: missing }, () => 0), ...tail];
  const word = (i: number): number => (groups[2 * i]! << 16) | groups[2 * i + 1]!;
  return keepIpv6(ipv6FromWords(word(0), word(1), word(2), word(3)));
}

/** RFC 5952. */
export function formatIpv6(address: Ipv6Address): string {
  if (isIpv4Mapped(address)) {
    const { word3 } = address;
    return `::ffff:${word3 >>> 24}.${(word3 >>> 16) & 255}.${(word3 >>> 8) & 255}.${word3 & 255}`;
  }
  const groups = [address.word0, address.word1, address.word2, address.word3].flatMap((word) => [
    word >>> 16,
    word & 0xffff,
  ]);
  const texts = groups.map((group) => group.toString(16));
  const run = longestZeros(groups);
  if (run.length < 2) return texts.join(":");
  return `${texts.slice(0, run.start).join(":")}::${texts.slice(run.start + run.length).join(":")}`;
}

export const unspecifiedIpv6: Ipv6Address = keepIpv6(ipv6FromWords(0, 0, 0, 0));
/** Every node of the link (RFC 4291 §2.7.1). */
export const allNodes: Ipv6Address = keepIpv6(ipv6FromWords(0xff02_0000, 0, 0, 1));

export function isMulticast({ word0 }: Ipv6Address): boolean {
  return word0 >>> 24 === 0xff;
}

/** fe80::/10 (RFC 4291 §2.5.6). */
export function isLinkLocal({ word0 }: Ipv6Address): boolean {
  return word0 >>> 22 === 0x3fa;
}

/** ::ffff:0:0/96 (RFC 4291 §2.5.5.2). */
export function isIpv4Mapped({ word0, word1, word2 }: Ipv6Address): boolean {
  return word0 === 0 && word1 === 0 && word2 === 0xffff;
}

/** Where those listen whose address ends as this one does (RFC 4291 §2.7.1). */
export function solicitedNode({ word3 }: Ipv6Address): Ipv6Address {
  return ipv6FromWords(0xff02_0000, 0, 1, 0xff00_0000 | (word3 & 0xff_ffff));
}

/** Whether `group` is the solicited-node address of `address`; by value, for the address of a group is seldom kept. */
export function isSolicitedNodeOf(group: Ipv6Address, { word3 }: Ipv6Address): boolean {
  const { word0, word1, word2 } = group;
  return (
    word0 === (0xff02_0000 | 0) && word1 === 0 && word2 === 1 && group.word3 === (0xff00_0000 | (word3 & 0xff_ffff))
  );
}

/** fe80::/64 with the modified EUI-64 of the interface (RFC 4291 §2.5.1, appendix A). */
export function linkLocalFor({ high, low }: MacAddress): Ipv6Address {
  const word2 = ((high ^ 0x0200) << 16) | ((low >>> 24) << 8) | 0xff;
  return keepIpv6(ipv6FromWords(0xfe80_0000, 0, word2, 0xfe00_0000 | (low & 0xff_ffff)));
}

function halves(word: number): number {
  return (word >>> 16) + (word & 0xffff);
}

function slotOf(a: number, b: number, c: number, d: number): number {
  const mixed = Math.imul(Math.imul(Math.imul(a, 31) ^ b, 0x9e37_79b1) ^ c, 0x85eb_ca6b) ^ d;
  return (Math.imul(mixed, 0x9e37_79b1) >>> 16) & (recentSlots - 1);
}

function keyOf(a: number, b: number, c: number, d: number): string {
  return String.fromCharCode(a >>> 16, a, b >>> 16, b, c >>> 16, c, d >>> 16, d);
}

/** Forgets what nothing refers to. Twice as many as remain may come before it is done again. */
function sweep(): void {
  for (const [key, reference] of kept) if (reference.deref() === undefined) kept.delete(key);
  sweepAt = Math.max(smallestSweep, 2 * kept.size);
}

/** Groups of four hexadecimal digits; the last two may be written as IPv4 where the address ends. */
function parseGroups(text: string, endsAddress: boolean): number[] | undefined {
  if (text === "") return [];
  const parts = text.split(":");
  const groups: number[] = [];
  for (const [i, part] of parts.entries()) {
    if (/^[0-9a-fA-F]{1,4}$/.test(part)) groups.push(Number.parseInt(part, 16));
    else {
      const octets = /^(\d{1,3})\.(\d{1,3})\.(\d{1,3})\.(\d{1,3})$/.exec(part)?.slice(1).map(Number);
      if (!endsAddress || i < parts.length - 1 || octets === undefined || octets.some((octet) => octet > 255))
        return undefined;
      groups.push((octets[0]! << 8) | octets[1]!, (octets[2]! << 8) | octets[3]!);
    }
  }
  return groups;
}

/** The first of the longest runs of zero groups. */
function longestZeros(groups: readonly number[]): { start: number; length: number } {
  let best = { start: 0, length: 0 };
  for (let start = 0; start < groups.length; start++) {
    let length = 0;
    while (groups[start + length] === 0) length++;
    if (length > best.length) best = { start, length };
  }
  return best;
}

/** Addresses that `===` compares and Map takes as keys: IPv4 as its own 32 bits, IPv6 as the one object of its value (ipv6-address.ts). */

import {
  formatIpv6,
  type Ipv6Address,
  isIpv4Mapped,
  isLinkLocal,
  keepIpv6,
  parseIpv6,
  unspecifiedIpv6,
} from "./ipv6-address.ts";

declare const brand: unique symbol;
/** Unsigned. */
export type Ipv4Address = number & { readonly [brand]: "Ipv4Address" };
export type IpAddress = Ipv4Address | Ipv6Address;

export const unspecifiedAddress = 0 as Ipv4Address;

export function ipv4FromNumber(value: number): Ipv4Address {
  return (value >>> 0) as Ipv4Address;
}

export function isIpv6(address: IpAddress): address is Ipv6Address {
  return typeof address === "object";
}

/** 0.0.0.0 or `::`. */
export function isUnspecified(address: IpAddress): boolean {
  return address === unspecifiedAddress || address === unspecifiedIpv6;
}

/** IPv4 or IPv6; undefined when the text is neither. */
export function parseIpAddress(text: string): IpAddress | undefined {
  return text.includes(":") ? parseIpv6(text) : parseIpv4(text);
}

/** Parses dotted IPv4; undefined when it is not one. */
export function parseIpv4(text: string): Ipv4Address | undefined {
  const match = /^(\d{1,3})\.(\d{1,3})\.(\d{1,3})\.(\d{1,3})$/.exec(text);
  if (match === null) return undefined;
  let value = 0;
  for (let i = 1; i <= 4; i++) {
    const octet = Number(match[i]);
    if (octet > 255) return undefined;
    value = value * 256 + octet;
  }
  return value as Ipv4Address;
}

export function formatIpAddress(address: IpAddress): string {
  if (isIpv6(address)) return formatIpv6(address);
  return `${address >>> 24}.${(address >>> 16) & 255}.${(address >>> 8) & 255}.${address & 255}`;
}

/** The address with its port, as URLs write it (RFC 5952 §6). */
export function formatEndpoint(address: string, port: number): string {
  return address.includes(":") ? `[${address}]:${port}` : `${address}:${port}`;
}

/** For an address out of a packet that is stored for longer than the packet is handled (see `keepIpv6`). */
export function keepAddress(address: IpAddress): IpAddress {
  return isIpv6(address) ? keepIpv6(address) : address;
}

/** IPv4 for what is IPv4 in the clothes of IPv6 (RFC 4291 §2.5.5.2), else the address itself. */
export function unmapped(address: IpAddress): IpAddress {
  return isIpv6(address) && isIpv4Mapped(address) ? ipv4FromNumber(address.word3) : address;
}

export function inPrefix(address: IpAddress, prefix: IpAddress, prefixLength: number): boolean {
  if (!isIpv6(address)) {
    return !isIpv6(prefix) && (prefixLength === 0 || (address ^ prefix) >>> (32 - prefixLength) === 0);
  }
  return (
    isIpv6(prefix) &&
    wordInPrefix(address.word0 ^ prefix.word0, prefixLength) &&
    wordInPrefix(address.word1 ^ prefix.word1, prefixLength - 32) &&
    wordInPrefix(address.word2 ^ prefix.word2, prefixLength - 64) &&
    wordInPrefix(address.word3 ^ prefix.word3, prefixLength - 96)
  );
}

/** Of one family and one scope: packets between the two can exist (RFC 4007 §6; a link-local address says nothing beyond its link). */
export function canTalk(local: IpAddress, remote: IpAddress): boolean {
  if (!isIpv6(local) || !isIpv6(remote)) return isIpv6(local) === isIpv6(remote);
  return isLinkLocal(local) === isLinkLocal(remote);
}

/** Whether the first `bits` of the 32 bits of `difference` are 0; all for more than 32, none for less than 1. */
function wordInPrefix(difference: number, bits: number): boolean {
  return bits <= 0 || (bits >= 32 ? difference === 0 : difference >>> (32 - bits) === 0);
}

export { Ipv6Address } from "./ipv6-address.ts";

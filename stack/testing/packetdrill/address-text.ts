/** Addresses of either family: text in one form, as scripts and maps compare them, and the bytes of packets. */

import { isIPv4, isIPv6, SocketAddress } from "node:net";

/** The one form of its value; undefined when the text is no address. IPv6 as RFC 5952 has it. */
export function canonicalAddress(text: string): string | undefined {
  if (isIPv4(text)) return text;
  return isIPv6(text) ? new SocketAddress({ address: text, family: "ipv6" }).address : undefined;
}

export function isIpv6Text(address: string): boolean {
  return address.includes(":");
}

/** 4 or 16 bytes of a canonical address. */
export function addressBytes(address: string): Uint8Array {
  if (!isIpv6Text(address)) return Uint8Array.from(address.split("."), Number);
  const dotted = /(?<=:)\d+(?:\.\d+){3}$/.exec(address)?.[0];
  const hexadecimal = dotted === undefined ? address : address.slice(0, -dotted.length) + groupsOf(dotted);
  const [before = "", after] = hexadecimal.split("::");
  const head = before.split(":").filter((group) => group !== "");
  const tail = (after ?? "").split(":").filter((group) => group !== "");
  const zeros = Array.from({ length: 8 - head.length - tail.length }, () => "0");
  const bytes = Buffer.alloc(16);
  [...head, ...zeros, ...tail].forEach((group, i) => bytes.writeUInt16BE(Number.parseInt(group, 16), 2 * i));
  return bytes;
}

function groupsOf(dotted: string): string {
  const [a, b, c, d] = dotted.split(".").map(Number) as [number, number, number, number];
  return `${((a << 8) | b).toString(16)}:${((c << 8) | d).toString(16)}`;
}

/** The canonical form of 4 or 16 bytes. */
export function addressText(bytes: Uint8Array): string {
  if (bytes.length === 4) return bytes.join(".");
  const view = Buffer.from(bytes);
  const groups = Array.from({ length: 8 }, (_, i) => view.readUInt16BE(2 * i).toString(16));
  return canonicalAddress(groups.join(":"))!;
}

/** The address that is `step` after this one. */
export function addressAfter(address: string, step: number): string {
  const bytes = addressBytes(address);
  let carry = step;
  for (let i = bytes.length - 1; i >= 0 && carry > 0; i--) {
    carry += bytes[i]!;
    bytes[i] = carry & 255;
    carry >>>= 8;
  }
  return addressText(bytes);
}

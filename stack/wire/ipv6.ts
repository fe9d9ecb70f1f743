/** The IPv6 header (RFC 8200). The stack sends no extension headers; it skips those that ask nothing of it, and accepts no fragments. */

import { type Ipv6Address, isIpv4Mapped, isMulticast, readIpv6, unspecifiedIpv6, writeIpv6 } from "./ipv6-address.ts";
import { ecn } from "./ipv4.ts";

export const ipv6HeaderLength = 40;
/** Every link takes packets of this size (RFC 8200 §5). */
export const minimumIpv6Mtu = 1280;
export const defaultHopLimit = 64;

const extensionHeader = { hopByHop: 0, routing: 43, fragment: 44, destinationOptions: 60 } as const;
const fragmentHeaderLength = 8;
/** Reserved bits left out: the fragment's offset and "more fragments". */
const fragmentMask = 0xfff9;

export class Ipv6Header {
  /** With the extension headers that were skipped. */
  headerLength = 0;
  /** Of headers and payload together. */
  totalLength = 0;
  /** What follows the last header. */
  protocol = 0;
  hopLimit = 0;
  /** RFC 3168 §5. */
  ecn = 0;
  source: Ipv6Address = unspecifiedIpv6;
  destination: Ipv6Address = unspecifiedIpv6;

  /** False: not a whole, unfragmented IPv6 packet that a node may accept. */
  parse(view: DataView, offset: number, length: number): boolean {
    if (length < ipv6HeaderLength) return false;
    const first = view.getUint16(offset);
    if (first >> 12 !== 6) return false;
    this.totalLength = ipv6HeaderLength + view.getUint16(offset + 4);
    if (this.totalLength > length) return false;
    this.ecn = (first >> 4) & 3;
    this.headerLength = ipv6HeaderLength;
    this.protocol = view.getUint8(offset + 6);
    this.hopLimit = view.getUint8(offset + 7);
    this.source = readIpv6(view, offset + 8);
    this.destination = readIpv6(view, offset + 24);
    // Nobody sends from a group (RFC 4291 §2.7), and mapped addresses are for programs, not for wires (RFC 4038 §4.2).
    if (isMulticast(this.source) || isIpv4Mapped(this.source) || isIpv4Mapped(this.destination)) return false;
    return this.#skipExtensions(view, offset);
  }

  #skipExtensions(view: DataView, offset: number): boolean {
    for (let isFirst = true; ; isFirst = false) {
      const at = offset + this.headerLength;
      const rest = this.totalLength - this.headerLength;
      let length = fragmentHeaderLength;
      switch (this.protocol) {
        case extensionHeader.hopByHop:
        case extensionHeader.destinationOptions:
          // RFC 8200 §4.1: options for every hop only right behind the header.
          if (this.protocol === extensionHeader.hopByHop && !isFirst) return false;
          if (rest < 8 || (length = 8 * (view.getUint8(at + 1) + 1)) > rest) return false;
          if (!mayIgnoreOptions(view, at + 2, at + length)) return false;
          break;
        case extensionHeader.routing:
          // RFC 8200 §4.4: with no segment left it has done its work.
          if (rest < 8 || (length = 8 * (view.getUint8(at + 1) + 1)) > rest || view.getUint8(at + 3) !== 0)
            return false;
          break;
        case extensionHeader.fragment:
          // A fragment that is the whole packet (RFC 6946).
          if (rest < length || (view.getUint16(at + 2) & fragmentMask) !== 0) return false;
          break;
        default:
          return true;
      }
      this.protocol = view.getUint8(at);
      this.headerLength += length;
    }
  }
}

/** Whether the options are whole, and each may be skipped by who does not know it: its highest bits are 00 (RFC 8200 §4.2). */
function mayIgnoreOptions(view: DataView, at: number, end: number): boolean {
  while (at < end) {
    const type = view.getUint8(at);
    if (type === 0) at++;
    else {
      if (type >> 6 !== 0 || at + 2 > end) return false;
      at += 2 + view.getUint8(at + 1);
    }
  }
  return at === end;
}

/** `payloadLength` as the header has it: without the header itself. */
export function writeIpv6Header(
  view: DataView,
  offset: number,
  payloadLength: number,
  protocol: number,
  source: Ipv6Address,
  destination: Ipv6Address,
  trafficClass: number = ecn.notCapable,
  flowLabel = 0,
  hopLimit: number = defaultHopLimit,
): void {
  view.setUint32(offset, 0x6000_0000 | (trafficClass << 20) | flowLabel);
  view.setUint32(offset + 4, (payloadLength << 16) | (protocol << 8) | hopLimit);
  writeIpv6(view, offset + 8, source);
  writeIpv6(view, offset + 24, destination);
}

/**
 * One label for the packets of a flow, the same for as long as it lives, so that routers keep its packets on one path (RFC 6437 §3); never 0,
 * which says that there is none.
 */
export function flowLabel(source: Ipv6Address, destination: Ipv6Address, ports: number): number {
  let mixed = Math.imul(source.word3 ^ Math.imul(source.word2, 31), 0x9e37_79b1) ^ ports;
  mixed = Math.imul(mixed ^ destination.word3 ^ Math.imul(destination.word2, 31), 0x85eb_ca6b);
  return ((mixed >>> 12) ^ (mixed & 0xfff)) & 0xf_ffff || 1;
}

/** The IPv4 header (RFC 791). The stack sends no options and no fragments, and accepts no fragments. */

import { checksumAdd, checksumFinish, checksumFold } from "./checksum.ts";
import { type Ipv4Address, ipv4FromNumber } from "./ip-address.ts";

export const ipv4HeaderLength = 20;
export const ipProtocol = { icmp: 1, tcp: 6, icmpv6: 58 } as const;

/** The two bits of RFC 3168 §5 in the traffic class. */
export const ecn = { notCapable: 0, capable: 2, congestionExperienced: 3 } as const;

const dontFragment = 0x4000;
const fragmentMask = 0x3fff;

export class Ipv4Header {
  headerLength = 0;
  /** Of header and payload together. */
  totalLength = 0;
  protocol = 0;
  /** RFC 3168 §5. */
  ecn = 0;
  source: Ipv4Address = ipv4FromNumber(0);
  destination: Ipv4Address = ipv4FromNumber(0);

  /** False: not a whole, unfragmented IPv4 packet with a right header checksum. */
  parse(bytes: Uint8Array, view: DataView, offset: number, length: number): boolean {
    if (length < ipv4HeaderLength) return false;
    const versionAndLength = view.getUint8(offset);
    if (versionAndLength >> 4 !== 4) return false;
    this.headerLength = (versionAndLength & 15) * 4;
    this.totalLength = view.getUint16(offset + 2);
    // A super-packet that a device has coalesced beyond 64 KiB carries length 0; the frame's own length then counts.
    if (this.totalLength === 0) this.totalLength = length;
    if (this.headerLength < ipv4HeaderLength || this.totalLength < this.headerLength || this.totalLength > length)
      return false;
    if ((view.getUint16(offset + 6) & fragmentMask) !== 0) return false;
    if (checksumFold(checksumAdd(0, bytes, offset, this.headerLength)) !== 0xffff) return false;
    this.ecn = view.getUint8(offset + 1) & 3;
    this.protocol = view.getUint8(offset + 9);
    this.source = ipv4FromNumber(view.getUint32(offset + 12));
    this.destination = ipv4FromNumber(view.getUint32(offset + 16));
    return true;
  }
}

export function writeIpv4Header(
  view: DataView,
  offset: number,
  totalLength: number,
  identification: number,
  protocol: number,
  source: Ipv4Address,
  destination: Ipv4Address,
  trafficClass: number = ecn.notCapable,
  timeToLive = 64,
): void {
  view.setUint32(offset, 0x4500_0000 | (trafficClass << 16) | totalLength);
  view.setUint32(offset + 4, ((identification & 0xffff) << 16) | dontFragment);
  view.setUint32(offset + 8, (timeToLive << 24) | (protocol << 16));
  view.setUint32(offset + 12, source);
  view.setUint32(offset + 16, destination);
  const sum =
    (0x4500 | trafficClass) +
    totalLength +
    (identification & 0xffff) +
    dontFragment +
    ((timeToLive << 8) | protocol) +
    (source >>> 16) +
    (source & 0xffff) +
    (destination >>> 16) +
    (destination & 0xffff);
  view.setUint16(offset + 10, checksumFinish(sum));
}

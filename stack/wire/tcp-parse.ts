/** Bytes to a TCP segment: the only bounds check, after which the fields can be trusted as to form. */

import { checksumAdd, checksumFold, pseudoHeaderSum } from "./checksum.ts";
import type { IpAddress } from "./ip-address.ts";
import { ipProtocol } from "./ipv4.ts";
import { mptcpOptionKind } from "./mptcp-options.ts";
import { parseMptcpOption } from "./mptcp-parse.ts";
import { sequenceNumber } from "./sequence.ts";
import { maximumSackBlocks, tcpHeaderLength, tcpOptionKind, type TcpSegment } from "./tcp-segment.ts";

/** Whether header, payload and pseudo-header sum up (RFC 9293 §3.1). */
export function tcpChecksumIsRight(
  bytes: Uint8Array,
  offset: number,
  length: number,
  source: IpAddress,
  destination: IpAddress,
): boolean {
  const pseudoHeader = pseudoHeaderSum(source, destination, ipProtocol.tcp, length);
  return checksumFold(checksumAdd(pseudoHeader, bytes, offset, length)) === 0xffff;
}

/** Fills `segment` from `length` bytes of TCP at `offset`. False: header or options do not fit. */
export function parseTcp(
  segment: TcpSegment,
  bytes: Uint8Array,
  view: DataView,
  offset: number,
  length: number,
): boolean {
  if (length < tcpHeaderLength) return false;
  const headerLength = (view.getUint8(offset + 12) >> 4) * 4;
  if (headerLength < tcpHeaderLength || headerLength > length) return false;
  segment.sourcePort = view.getUint16(offset);
  segment.destinationPort = view.getUint16(offset + 2);
  segment.sequence = sequenceNumber(view.getUint32(offset + 4));
  segment.acknowledgement = sequenceNumber(view.getUint32(offset + 8));
  segment.flags = view.getUint8(offset + 13);
  segment.window = view.getUint16(offset + 14);
  segment.payload = bytes;
  segment.payloadOffset = offset + headerLength;
  segment.payloadLength = length - headerLength;
  segment.clearOptions();
  return parseOptions(segment, view, offset + tcpHeaderLength, offset + headerLength);
}

/** Fifteen bits of seconds, or of minutes where the first bit, the granularity, is set (RFC 5482 §3.3). */
function userTimeoutSeconds(field: number): number {
  return field & 0x8000 ? (field & 0x7fff) * 60 : field;
}

function parseOptions(segment: TcpSegment, view: DataView, at: number, end: number): boolean {
  while (at < end) {
    const kind = view.getUint8(at);
    if (kind === tcpOptionKind.end) return true;
    if (kind === tcpOptionKind.noOperation) {
      at++;
      continue;
    }
    if (at + 2 > end) return false;
    const length = view.getUint8(at + 1);
    if (length < 2 || at + length > end) return false;
    switch (kind) {
      case tcpOptionKind.mss:
        if (length === 4) segment.mss = view.getUint16(at + 2);
        break;
      case tcpOptionKind.windowScale:
        // RFC 7323 §2.3: a shift count above 14 is taken as 14.
        if (length === 3) segment.windowScale = Math.min(14, view.getUint8(at + 2));
        break;
      case tcpOptionKind.sackPermitted:
        if (length === 2) segment.sackPermitted = true;
        break;
      case tcpOptionKind.sack:
        if ((length - 2) % 8 === 0) {
          segment.sackCount = Math.min(maximumSackBlocks, (length - 2) / 8);
          for (let i = 0; i < 2 * segment.sackCount; i++) segment.sackEdges[i] = view.getUint32(at + 2 + 4 * i);
        }
        break;
      case tcpOptionKind.timestamps:
        if (length === 10) {
          segment.hasTimestamps = true;
          segment.timestampValue = view.getUint32(at + 2);
          segment.timestampEcho = view.getUint32(at + 6);
        }
        break;
      case tcpOptionKind.userTimeout:
        if (length === 4) segment.userTimeoutSeconds = userTimeoutSeconds(view.getUint16(at + 2));
        break;
      case tcpOptionKind.fastOpen:
        // RFC 7413 §2: 4 to 16 octets, an even number of them; anything else is ignored (§4.1.1).
        if (length === 2 || (length >= 6 && length <= 18 && length % 2 === 0))
          segment.fastOpenCookie = new Uint8Array(view.buffer, view.byteOffset + at + 2, length - 2).slice();
        break;
      case mptcpOptionKind:
        if (length >= 3) parseMptcpOption(segment.mptcp, view, at, length);
        break;
    }
    at += length;
  }
  return true;
}

/** A TCP segment to bytes. `tcpOptionsLength` says how many bytes of options `writeTcp` writes. */

import { mptcpOptionsLength, writeMptcpOptions } from "./mptcp-emit.ts";
import { maximumSackBlocks, tcpHeaderLength, tcpOptionKind, type TcpSegment } from "./tcp-segment.ts";

/** The data offset has four bits (RFC 9293 §3.1). */
export const maximumOptionsLength = 40;

export const userTimeoutLength = 4;
/** With the two octets of padding that RFC 7323, appendix A, puts before them. */
export const timestampsLength = 12;

/** Options other than SACK; SACK blocks take what they leave. */
export function tcpOptionsLength(segment: TcpSegment): number {
  let length = mptcpOptionsLength(segment.mptcp);
  if (segment.mss > 0) length += 4;
  if (segment.windowScale >= 0) length += 4;
  if (segment.hasTimestamps) length += timestampsLength;
  else if (segment.sackPermitted) length += 4;
  length += sackLength(segment.sackCount);
  if (segment.userTimeoutSeconds > 0) length += userTimeoutLength;
  if (segment.fastOpenCookie !== undefined) length += (2 + segment.fastOpenCookie.length + 3) & ~3;
  return length;
}

/** How many SACK blocks fit beside the other options (RFC 2018 §3) where `room` bytes are left for all of them. */
export function sackBlocksThatFit(otherOptionsLength: number, room: number = maximumOptionsLength): number {
  const left = Math.min(maximumOptionsLength, room) - otherOptionsLength;
  return Math.max(0, Math.min(maximumSackBlocks, Math.floor((left - 4) / 8)));
}

/** Bytes of the option with so many blocks, and of what aligns it. */
export function sackLength(blocks: number): number {
  return blocks > 0 ? 4 + 8 * blocks : 0;
}

function writeFastOpen(cookie: Uint8Array, view: DataView, at: number): number {
  view.setUint8(at, tcpOptionKind.fastOpen);
  view.setUint8(at + 1, 2 + cookie.length);
  cookie.forEach((octet, i) => view.setUint8(at + 2 + i, octet));
  let position = at + 2 + cookie.length;
  while ((position - at) % 4 !== 0) view.setUint8(position++, tcpOptionKind.noOperation);
  return position;
}

/** In minutes, rounded up, where fifteen bits are too few for the seconds (RFC 5482 §3.3). */
function userTimeoutField(seconds: number): number {
  return seconds <= 0x7fff ? seconds : 0x8000 | Math.min(0x7fff, Math.ceil(seconds / 60));
}

/** Writes header and options at `at`, checksum 0; returns their length. */
export function writeTcp(segment: TcpSegment, view: DataView, at: number): number {
  let position = at + tcpHeaderLength;
  if (segment.mss > 0) {
    view.setUint32(position, (tcpOptionKind.mss << 24) | (4 << 16) | segment.mss);
    position += 4;
  }
  if (segment.hasTimestamps) {
    const sackPermitted = (tcpOptionKind.sackPermitted << 24) | (2 << 16);
    const noOperations = (tcpOptionKind.noOperation << 24) | (tcpOptionKind.noOperation << 16);
    view.setUint32(
      position,
      (segment.sackPermitted ? sackPermitted : noOperations) | (tcpOptionKind.timestamps << 8) | 10,
    );
    view.setUint32(position + 4, segment.timestampValue);
    view.setUint32(position + 8, segment.timestampEcho);
    position += timestampsLength;
  } else if (segment.sackPermitted) {
    view.setUint32(position, 0x0101_0000 | (tcpOptionKind.sackPermitted << 8) | 2);
    position += 4;
  }
  if (segment.windowScale >= 0) {
    view.setUint32(position, 0x0100_0000 | (tcpOptionKind.windowScale << 16) | (3 << 8) | segment.windowScale);
    position += 4;
  }
  if (segment.sackCount > 0) {
    view.setUint32(position, 0x0101_0000 | (tcpOptionKind.sack << 8) | (2 + 8 * segment.sackCount));
    position += 4;
    for (let i = 0; i < 2 * segment.sackCount; i++) {
      view.setUint32(position, segment.sackEdges[i]!);
      position += 4;
    }
  }
  if (segment.userTimeoutSeconds > 0) {
    const header = (tcpOptionKind.userTimeout << 24) | (userTimeoutLength << 16);
    view.setUint32(position, header | userTimeoutField(segment.userTimeoutSeconds));
    position += userTimeoutLength;
  }
  if (segment.fastOpenCookie !== undefined) position = writeFastOpen(segment.fastOpenCookie, view, position);
  position = writeMptcpOptions(segment.mptcp, view, position);
  const headerLength = position - at;
  view.setUint16(at, segment.sourcePort);
  view.setUint16(at + 2, segment.destinationPort);
  view.setUint32(at + 4, segment.sequence);
  view.setUint32(at + 8, segment.acknowledgement);
  view.setUint16(at + 12, ((headerLength / 4) << 12) | segment.flags);
  view.setUint16(at + 14, segment.window);
  view.setUint32(at + 16, 0);
  return headerLength;
}

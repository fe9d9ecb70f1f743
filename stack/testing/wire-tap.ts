/** Middleboxes for tests: they change or drop frames by what TCP options these carry. */

import { checksumAdd, checksumFinish, pseudoHeaderSum } from "../wire/checksum.ts";
import { TcpSegment } from "../wire/tcp-segment.ts";
import { parseTcp } from "../wire/tcp-parse.ts";
import type { Middlebox } from "./network.ts";

const tcpStart = 34;

/** The TCP segment in a frame, or undefined when it is something else. */
export function segmentOf(frame: Uint8Array): TcpSegment | undefined {
  if (frame.length < tcpStart + 20 || frame[12] !== 8 || frame[13] !== 0 || frame[23] !== 6) return undefined;
  const segment = new TcpSegment();
  const view = new DataView(frame.buffer, frame.byteOffset, frame.byteLength);
  return parseTcp(segment, frame, view, tcpStart, frame.length - tcpStart) ? segment : undefined;
}

/** Overwrites MPTCP options with NOPs in segments for which `applies`. */
export function stripMptcp(applies: (segment: TcpSegment) => boolean): Middlebox {
  return (frame) => {
    const segment = segmentOf(frame);
    if (segment === undefined || !applies(segment)) return true;
    const end = tcpStart + (frame[tcpStart + 12]! >> 4) * 4;
    for (let at = tcpStart + 20; at < end;) {
      const kind = frame[at]!;
      const length = kind === 1 ? 1 : frame[at + 1]!;
      if (kind === 30) frame.fill(1, at, at + length);
      at += length;
    }
    rewriteChecksum(frame);
    return true;
  };
}

/** Drops segments for which `applies`. */
export function dropWhen(applies: (segment: TcpSegment) => boolean): Middlebox {
  return (frame) => {
    const segment = segmentOf(frame);
    return segment === undefined || !applies(segment);
  };
}

/** Changes the first payload byte of segments for which `applies`, as an application-level gateway would: the TCP checksum stays right. */
export function rewritePayload(applies: (segment: TcpSegment) => boolean): Middlebox {
  return (frame) => {
    const segment = segmentOf(frame);
    if (segment !== undefined && segment.payloadLength > 0 && applies(segment)) {
      frame[segment.payloadOffset]! ^= 0xff;
      rewriteChecksum(frame);
    }
    return true;
  };
}

function rewriteChecksum(frame: Uint8Array): void {
  const view = new DataView(frame.buffer, frame.byteOffset, frame.byteLength);
  view.setUint16(tcpStart + 16, 0);
  const length = frame.length - tcpStart;
  const sum = pseudoHeaderSum(view.getUint32(26), view.getUint32(30), 6, length);
  view.setUint16(tcpStart + 16, checksumFinish(checksumAdd(sum, frame, tcpStart, length)));
}

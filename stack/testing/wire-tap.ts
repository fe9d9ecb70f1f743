/** Middleboxes for tests: they change or drop frames by what TCP options these carry. */

import { checksumAdd, checksumFinish, pseudoHeaderSum } from "../wire/checksum.ts";
import { mptcpOptionKind } from "../wire/mptcp-options.ts";
import { TcpSegment } from "../wire/tcp-segment.ts";
import { parseTcp } from "../wire/tcp-parse.ts";
import type { Middlebox } from "./network.ts";

/** Where the TCP header begins: no IP options here. */
export const tcpStart = 34;

/** The TCP segment in a frame, or undefined when it is something else. */
export function segmentOf(frame: Uint8Array): TcpSegment | undefined {
  if (frame.length < tcpStart + 20 || frame[12] !== 8 || frame[13] !== 0 || frame[23] !== 6) return undefined;
  const segment = new TcpSegment();
  const view = new DataView(frame.buffer, frame.byteOffset, frame.byteLength);
  return parseTcp(segment, frame, view, tcpStart, frame.length - tcpStart) ? segment : undefined;
}

/** Overwrites options of `kind` (of MPTCP only those of `subtype`, -1: all) with NOPs in segments for which `applies`. */
export function stripOptions(kind: number, subtype: number, applies: (segment: TcpSegment) => boolean): Middlebox {
  return (frame) => {
    const segment = segmentOf(frame);
    if (segment === undefined || !applies(segment)) return true;
    for (const { at, length } of optionsOf(frame)) {
      if (frame[at] === kind && (subtype < 0 || frame[at + 2]! >> 4 === subtype)) frame.fill(1, at, at + length);
    }
    rewriteChecksum(frame);
    return true;
  };
}

/** Overwrites MPTCP options with NOPs in segments for which `applies`. */
export function stripMptcp(applies: (segment: TcpSegment) => boolean): Middlebox {
  return stripOptions(mptcpOptionKind, -1, applies);
}

/** The options of the TCP header, without NOPs. */
export function optionsOf(frame: Uint8Array): { at: number; length: number }[] {
  const options: { at: number; length: number }[] = [];
  const end = tcpStart + (frame[tcpStart + 12]! >> 4) * 4;
  for (let at = tcpStart + 20; at < end && frame[at] !== 0;) {
    const length = frame[at] === 1 ? 1 : frame[at + 1]!;
    if (length > 1) options.push({ at, length });
    at += Math.max(1, length);
  }
  return options;
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

/** Lets `change` write into the frames of segments for which `applies`. */
export function rewrite(
  applies: (segment: TcpSegment) => boolean,
  change: (frame: Uint8Array, view: DataView, segment: TcpSegment) => void,
): Middlebox {
  return (frame) => {
    const segment = segmentOf(frame);
    if (segment !== undefined && applies(segment)) {
      change(frame, new DataView(frame.buffer, frame.byteOffset, frame.byteLength), segment);
      rewriteChecksum(frame);
    }
    return true;
  };
}

/** One middlebox after the other; of frames that one puts in place of another, each goes through the rest. */
export function chain(...boxes: Middlebox[]): Middlebox {
  return (frame, now) => {
    let frames = [frame];
    for (const box of boxes) {
      frames = frames.flatMap((each) => {
        const verdict = box(each, now);
        return verdict === true ? [each] : verdict === false ? [] : verdict;
      });
    }
    return frames;
  };
}

/** IP header and TCP checksums as they should be for what now stands in the frame. */
export function rewriteChecksum(frame: Uint8Array): void {
  const view = new DataView(frame.buffer, frame.byteOffset, frame.byteLength);
  view.setUint16(16, frame.length - 14);
  view.setUint16(24, 0);
  view.setUint16(24, checksumFinish(checksumAdd(0, frame, 14, 20)));
  view.setUint16(tcpStart + 16, 0);
  const length = frame.length - tcpStart;
  const sum = pseudoHeaderSum(view.getUint32(26), view.getUint32(30), 6, length);
  view.setUint16(tcpStart + 16, checksumFinish(checksumAdd(sum, frame, tcpStart, length)));
}

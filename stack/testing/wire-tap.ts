/** Middleboxes for tests: they change or drop frames by what TCP options these carry. */

import { checksumAdd, checksumFinish, pseudoHeaderSum } from "../wire/checksum.ts";
import { etherType } from "../wire/ethernet.ts";
import { ipv4FromNumber } from "../wire/ip-address.ts";
import { ipProtocol } from "../wire/ipv4.ts";
import { readIpv6 } from "../wire/ipv6-address.ts";
import { mptcpOptionKind } from "../wire/mptcp-options.ts";
import { tcpHeaderLength, TcpSegment } from "../wire/tcp-segment.ts";
import { parseTcp } from "../wire/tcp-parse.ts";
import type { Middlebox } from "./network.ts";

/** Where the TCP header of a frame of IPv4 begins: no IP options here. */
export const tcpStart = 34;

const isIpv6 = (frame: Uint8Array): boolean => frame[12] === 0x86;

/** Where the TCP header begins: no IP options, no extension headers. */
export function tcpStartOf(frame: Uint8Array): number {
  return isIpv6(frame) ? 54 : tcpStart;
}

/** The TCP segment in a frame, or undefined when it is something else. */
export function segmentOf(frame: Uint8Array): TcpSegment | undefined {
  const view = new DataView(frame.buffer, frame.byteOffset, frame.byteLength);
  const type = view.getUint16(12);
  const start = tcpStartOf(frame);
  if (type !== etherType.ipv4 && type !== etherType.ipv6) return undefined;
  if (frame.length < start + tcpHeaderLength || frame[type === etherType.ipv6 ? 20 : 23] !== ipProtocol.tcp)
    return undefined;
  const segment = new TcpSegment();
  segment.source = isIpv6(frame) ? readIpv6(view, 22) : ipv4FromNumber(view.getUint32(26));
  segment.destination = isIpv6(frame) ? readIpv6(view, 38) : ipv4FromNumber(view.getUint32(30));
  return parseTcp(segment, frame, view, start, frame.length - start) ? segment : undefined;
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
  const start = tcpStartOf(frame);
  const end = start + (frame[start + 12]! >> 4) * 4;
  for (let at = start + 20; at < end && frame[at] !== 0;) {
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
  const start = tcpStartOf(frame);
  const length = frame.length - start;
  let sum = 0;
  if (isIpv6(frame)) {
    view.setUint16(18, length);
    sum = pseudoHeaderSum(readIpv6(view, 22), readIpv6(view, 38), ipProtocol.tcp, length);
  } else {
    view.setUint16(16, frame.length - 14);
    view.setUint16(24, 0);
    view.setUint16(24, checksumFinish(checksumAdd(0, frame, 14, 20)));
    sum = pseudoHeaderSum(view.getUint32(26), view.getUint32(30), ipProtocol.tcp, length);
  }
  view.setUint16(start + 16, 0);
  view.setUint16(start + 16, checksumFinish(checksumAdd(sum, frame, start, length)));
}

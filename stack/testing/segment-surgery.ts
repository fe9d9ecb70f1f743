/** Middleboxes for tests that cut, join, renumber and answer segments: what TSO, reassembling firewalls, NATs and proxies do. */

import { formatIpAddress } from "../wire/ip-address.ts";
import { tcpFlag, type TcpSegment } from "../wire/tcp-segment.ts";
import { mptcpOptionKind } from "../wire/mptcp-options.ts";
import type { Attachment, Middlebox, Network } from "./network.ts";
import { optionsOf, rewriteChecksum, segmentOf, tcpStart, tcpStartOf } from "./wire-tap.ts";

function viewOf(frame: Uint8Array): DataView {
  return new DataView(frame.buffer, frame.byteOffset, frame.byteLength);
}

/** The header of `frame` over other payload, which begins at sequence number `sequence`. */
export function withPayload(frame: Uint8Array, sequence: number, payload: Uint8Array): Uint8Array {
  const start = tcpStartOf(frame);
  const headerLength = start + (frame[start + 12]! >> 4) * 4;
  const changed = new Uint8Array(headerLength + payload.length);
  changed.set(frame.subarray(0, headerLength));
  changed.set(payload, headerLength);
  viewOf(changed).setUint32(start + 4, sequence >>> 0);
  rewriteChecksum(changed);
  return changed;
}

export function withoutMptcp(frame: Uint8Array): Uint8Array {
  for (const { at, length } of optionsOf(frame)) if (frame[at] === mptcpOptionKind) frame.fill(1, at, at + length);
  rewriteChecksum(frame);
  return frame;
}

/** Cuts data segments in halves; the option goes with `options`. */
export function splitSegments(options: "both" | "first" | "second"): Middlebox {
  return (frame) => {
    const segment = segmentOf(frame);
    if (segment === undefined || segment.payloadLength < 2 || segment.has(tcpFlag.syn)) return true;
    const half = segment.payloadLength >> 1;
    const payload = frame.subarray(segment.payloadOffset);
    const first = withPayload(frame, segment.sequence, payload.subarray(0, half));
    const second = withPayload(frame, segment.sequence + half, payload.subarray(half));
    if (options === "first") withoutMptcp(second);
    if (options === "second") withoutMptcp(first);
    return [first, second];
  };
}

/** Joins two consecutive data segments of a flow into one, with the options of the `kept` one. */
export function coalesceSegments(kept: "first" | "last"): Middlebox {
  const held = new Map<string, Uint8Array>();
  return (frame) => {
    const segment = segmentOf(frame);
    if (segment === undefined) return true;
    const { source, sourcePort, destination, destinationPort } = segment;
    const flow = `${formatIpAddress(source)} ${sourcePort} ${formatIpAddress(destination)} ${destinationPort}`;
    const before = held.get(flow);
    held.delete(flow);
    const plainData = segment.payloadLength > 0 && !segment.has(tcpFlag.syn | tcpFlag.fin | tcpFlag.rst);
    if (before === undefined) {
      if (!plainData || segment.payloadLength > 700) return true;
      held.set(flow, frame.slice());
      return [];
    }
    const first = segmentOf(before)!;
    if (!plainData || (first.sequence + first.payloadLength) >>> 0 !== segment.sequence) return [before, frame];
    const payload = new Uint8Array(first.payloadLength + segment.payloadLength);
    payload.set(before.subarray(first.payloadOffset));
    payload.set(frame.subarray(segment.payloadOffset), first.payloadLength);
    return [withPayload(kept === "first" ? before : frame, first.sequence, payload)];
  };
}

export interface BothWays {
  up: Middlebox;
  down: Middlebox;
}

/** Sequence numbers of one direction, and what the other acknowledges of them. */
function shiftNumbers(own: number, other: number): Middlebox {
  return (frame) => {
    const segment = segmentOf(frame);
    if (segment === undefined) return true;
    const view = viewOf(frame);
    const start = tcpStartOf(frame);
    view.setUint32(start + 4, (segment.sequence + own) >>> 0);
    if (segment.has(tcpFlag.ack)) view.setUint32(start + 8, (segment.acknowledgement - other) >>> 0);
    for (const { at, length } of optionsOf(frame)) {
      if (frame[at] !== 5) continue;
      for (let i = at + 2; i < at + length; i += 4) view.setUint32(i, (view.getUint32(i) - other) >>> 0);
    }
    rewriteChecksum(frame);
    return true;
  };
}

/** A firewall that gives both sides other initial sequence numbers; SACK blocks are shifted with them. */
export function randomiseSequences(clientShift: number, serverShift: number): BothWays {
  return { up: shiftNumbers(clientShift, serverShift), down: shiftNumbers(serverShift, clientShift) };
}

function translate(addressAt: number, portAt: number, to: number, shift: number): Middlebox {
  return (frame) => {
    if (segmentOf(frame) === undefined) return true;
    const view = viewOf(frame);
    view.setUint32(addressAt, to);
    view.setUint16(portAt, (view.getUint16(portAt) + shift) & 0xffff);
    rewriteChecksum(frame);
    return true;
  };
}

/** A NAT of IPv4 between `inside` and `outside` (addresses as numbers) that also moves ports by `portShift`. */
export function translateAddresses(inside: number, outside: number, portShift: number): BothWays {
  return {
    up: translate(26, tcpStart, outside, portShift),
    down: translate(30, tcpStart + 2, inside, -portShift),
  };
}

/** An answer to the segment in `frame`, sent back to where it came from: bare, with `flags`. */
export function answerTo(frame: Uint8Array, flags: number, sequence: number, acknowledgement: number): Uint8Array {
  const start = tcpStartOf(frame);
  // The two addresses stand last in the header of either family.
  const addressLength = start === tcpStart ? 4 : 16;
  const [source, destination] = [start - 2 * addressLength, start - addressLength];
  const answer = new Uint8Array(start + 20);
  answer.set(frame.subarray(0, start));
  answer.set(frame.subarray(6, 12), 0);
  answer.set(frame.subarray(0, 6), 6);
  answer.set(frame.subarray(source, destination), destination);
  answer.set(frame.subarray(destination, start), source);
  answer.set(frame.subarray(start, start + 2), start + 2);
  answer.set(frame.subarray(start + 2, start + 4), start);
  const view = viewOf(answer);
  view.setUint32(start + 4, sequence >>> 0);
  view.setUint32(start + 8, acknowledgement >>> 0);
  view.setUint8(start + 12, 5 << 4);
  view.setUint8(start + 13, flags);
  view.setUint16(start + 14, 0xffff);
  rewriteChecksum(answer);
  return answer;
}

/** Answers segments for which `applies` with a RST, and drops them. */
export function resetWhen(network: Network, link: Attachment, applies: (segment: TcpSegment) => boolean): Middlebox {
  return (frame) => {
    const segment = segmentOf(frame);
    if (segment === undefined || !applies(segment)) return true;
    const sequence = segment.has(tcpFlag.ack) ? segment.acknowledgement : 0;
    const end = segment.sequence + segment.sequenceLength;
    network.inject(link, answerTo(frame, tcpFlag.rst | tcpFlag.ack, sequence, end));
    return false;
  };
}

/** A proxy that acknowledges the host's data itself, before it has gone any further. */
export function acknowledgeEarly(network: Network, link: Attachment): Middlebox {
  return (frame) => {
    const segment = segmentOf(frame);
    if (segment !== undefined && segment.payloadLength > 0) {
      const end = segment.sequence + segment.sequenceLength;
      network.inject(link, answerTo(frame, tcpFlag.ack, segment.acknowledgement, end));
    }
    return true;
  };
}

/** Rows of the catalogue that cut, join, change or lengthen payload (RFC 8684 §3.3.1, §3.7). */

import { mptcpOptionKind, mptcpPresent } from "../wire/mptcp-options.ts";
import { tcpFlag } from "../wire/tcp-segment.ts";
import { describeRows, onLink, onLinks, type Row } from "./middlebox-row.ts";
import type { Middlebox } from "./network.ts";
import type { Pair } from "./pair.ts";
import { type BothWays, coalesceSegments, splitSegments, withPayload } from "./segment-surgery.ts";
import { optionsOf, rewrite, rewriteChecksum, rewritePayload, segmentOf, tcpStart } from "./wire-tap.ts";

const midStream = 1_540_000;
const checksums = { client: { dssChecksum: true } };

function later(from: number, box: Middlebox): Middlebox {
  return (frame, now) => now < from || box(frame, now);
}

function bothWays(make: () => Middlebox): (pair: Pair) => void {
  return (pair) => onLinks(pair, () => ({ up: make(), down: make() }));
}

/** Three bytes more in one segment after `from`, as an FTP gateway does to an address; sequence numbers follow. */
function lengthen(from: number): BothWays {
  const growth = 3;
  let edge: number | undefined;
  const beyond = (sequence: number): boolean => edge !== undefined && ((sequence - edge) | 0) >= 0;
  return {
    up: (frame, now) => {
      const segment = segmentOf(frame);
      if (segment === undefined) return true;
      const payload = frame.subarray(segment.payloadOffset);
      const end = (segment.sequence + segment.payloadLength) >>> 0;
      if (edge === undefined && now >= from && payload.length > 100) edge = end;
      if (edge === end && payload.length > 0) {
        const grown = new Uint8Array(payload.length + growth);
        grown.set(payload);
        return [withPayload(frame, segment.sequence, grown)];
      }
      if (beyond(segment.sequence)) {
        new DataView(frame.buffer, frame.byteOffset).setUint32(tcpStart + 4, (segment.sequence + growth) >>> 0);
        rewriteChecksum(frame);
      }
      return true;
    },
    down: (frame) => {
      const segment = segmentOf(frame);
      if (segment === undefined || !segment.has(tcpFlag.ack) || !beyond(segment.acknowledgement - growth)) return true;
      new DataView(frame.buffer, frame.byteOffset).setUint32(tcpStart + 8, (segment.acknowledgement - growth) >>> 0);
      rewriteChecksum(frame);
      return true;
    },
  };
}

/** Data sequence numbers that are 1000 too large. */
function shiftDataSequence(): Middlebox {
  return rewrite(
    (segment) => segment.mptcp.has(mptcpPresent.dss) && segment.mptcp.hasMapping && segment.mptcp.hasDataAck,
    (frame, view, { mptcp }) => {
      for (const { at } of optionsOf(frame)) {
        if (frame[at] !== mptcpOptionKind || frame[at + 2]! >> 4 !== 2) continue;
        const position = at + 4 + (mptcp.dataAck64 ? 8 : 4);
        view.setUint32(position, (view.getUint32(position) + 1000) >>> 0);
      }
    },
  );
}

const changeData = (): Middlebox => rewritePayload(() => true);

const rows: Row[] = [
  {
    row: 31,
    behaviour: "split, the option on both halves",
    allowed: ["MP"],
    install: bothWays(() => splitSegments("both")),
  },
  {
    row: 31,
    behaviour: "split, the option on both halves, checksums",
    allowed: ["MP"],
    options: checksums,
    install: bothWays(() => splitSegments("both")),
  },
  {
    row: 32,
    behaviour: "split, the option on the first half",
    allowed: ["MP"],
    install: bothWays(() => splitSegments("first")),
  },
  {
    row: 33,
    behaviour: "split, the option on the second half",
    allowed: ["MP", "TCP"],
    install: bothWays(() => splitSegments("second")),
  },
  {
    row: 33,
    behaviour: "split in mid-stream, the option on the second half",
    allowed: ["MP"],
    install: bothWays(() => later(midStream, splitSegments("second"))),
  },
  {
    row: 34,
    behaviour: "two segments joined, the first one's option kept, one subflow",
    paths: 1,
    allowed: ["MP", "TCP"],
    install: bothWays(() => coalesceSegments("first")),
  },
  {
    row: 34,
    behaviour: "two segments joined, the first one's option kept, on path 2",
    allowed: ["MP", "MP-1"],
    install: (pair) => onLink(pair, 1, coalesceSegments("first"), coalesceSegments("first")),
  },
  {
    row: 35,
    behaviour: "two segments joined, the last one's option kept, one subflow",
    paths: 1,
    allowed: ["MP", "TCP"],
    install: bothWays(() => coalesceSegments("last")),
  },
  { row: 36, behaviour: "payload changed, no checksum", allowed: ["SILENT"], install: bothWays(changeData) },
  {
    row: 37,
    behaviour: "payload changed in the first mapping, checksums, one subflow",
    paths: 1,
    allowed: ["TCP", "FAIL"],
    options: checksums,
    install: bothWays(changeData),
  },
  {
    row: 38,
    behaviour: "payload changed in mid-stream, checksums, one subflow",
    paths: 1,
    allowed: ["FAIL"],
    options: checksums,
    install: bothWays(() => later(midStream, changeData())),
  },
  {
    row: 39,
    behaviour: "payload changed on path 2, checksums",
    allowed: ["MP-1"],
    options: checksums,
    install: (pair) => onLink(pair, 1, later(midStream, changeData()), later(midStream, changeData())),
  },
  {
    row: 39,
    behaviour: "payload changed on path 1 in mid-stream, checksums",
    allowed: ["MP-1"],
    options: checksums,
    install: (pair) => onLink(pair, 0, later(midStream, changeData()), later(midStream, changeData())),
  },
  {
    row: 40,
    behaviour: "payload lengthened, no checksum, one subflow",
    paths: 1,
    allowed: ["TCP", "RST", "SILENT"],
    install: (pair) => onLinks(pair, () => lengthen(0)),
  },
  {
    row: 40,
    behaviour: "payload lengthened in mid-stream, no checksum, one subflow",
    paths: 1,
    allowed: ["TCP", "RST", "SILENT"],
    install: (pair) => onLinks(pair, () => lengthen(midStream)),
  },
  {
    row: 41,
    behaviour: "payload lengthened, no checksum, two subflows",
    allowed: ["MP-1", "RST", "SILENT"],
    install: (pair) => onLinks(pair, () => lengthen(midStream)),
  },
  {
    row: 42,
    behaviour: "payload lengthened on path 2, checksums",
    allowed: ["MP-1", "MP"],
    options: checksums,
    install: (pair) => {
      const { up, down } = lengthen(midStream);
      onLink(pair, 1, up, down);
    },
  },
  {
    row: 42,
    behaviour: "payload lengthened in mid-stream, checksums, one subflow",
    paths: 1,
    allowed: ["FAIL", "RST", "TCP"],
    options: checksums,
    install: (pair) => onLinks(pair, () => lengthen(midStream)),
  },
  {
    row: 43,
    behaviour: "other data sequence numbers, one subflow",
    paths: 1,
    allowed: ["TCP", "RST"],
    install: bothWays(() => later(midStream, shiftDataSequence())),
  },
  {
    row: 43,
    behaviour: "other data sequence numbers on path 2, checksums",
    allowed: ["MP-1"],
    options: checksums,
    install: (pair) => onLink(pair, 1, later(midStream, shiftDataSequence()), later(midStream, shiftDataSequence())),
  },
];

describeRows("middleboxes and payload", rows);

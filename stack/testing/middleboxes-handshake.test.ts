/** Rows of the catalogue that concern options of the handshakes and which segments keep theirs (RFC 8684 §3.1, §3.2, §3.7). */

import { mptcpOptionKind, mptcpPresent } from "../wire/mptcp-options.ts";
import { tcpFlag, type TcpSegment } from "../wire/tcp-segment.ts";
import { describeRows, onLink, onLinks, type Row } from "./middlebox-row.ts";
import type { Middlebox } from "./network.ts";
import type { Pair } from "./pair.ts";
import { resetWhen } from "./segment-surgery.ts";
import { dropWhen, optionsOf, rewrite, stripMptcp, tcpStart } from "./wire-tap.ts";

const isSyn = (segment: TcpSegment): boolean => segment.has(tcpFlag.syn);
const isNotSyn = (segment: TcpSegment): boolean => !segment.has(tcpFlag.syn);
const hasData = (segment: TcpSegment): boolean => segment.payloadLength > 0;
const isJoinSyn = (segment: TcpSegment): boolean => isSyn(segment) && segment.mptcp.has(mptcpPresent.join);
const midStream = 1_540_000;

function later(from: number, box: Middlebox): Middlebox {
  return (frame, now) => now < from || box(frame, now);
}

/** Only the first segment for which `applies`. */
function once(applies: (segment: TcpSegment) => boolean): (segment: TcpSegment) => boolean {
  let done = false;
  return (segment) => {
    if (done || !applies(segment)) return false;
    done = true;
    return true;
  };
}

function everywhere(up?: () => Middlebox, down?: () => Middlebox): (pair: Pair) => void {
  return (pair) => onLinks(pair, () => ({ ...(up && { up: up() }), ...(down && { down: down() }) }));
}

/** Overwrites what stands in MPTCP options with `value`. */
function overwriteMptcp(value: number): Middlebox {
  return rewrite(isNotSyn, (frame) => {
    for (const { at, length } of optionsOf(frame)) {
      if (frame[at] === mptcpOptionKind)
        frame.fill(value, at, value === 0 ? tcpStart + (frame[tcpStart + 12]! >> 4) * 4 : at + length);
    }
  });
}

/** Changes the MPTCP option of SYNs. */
function changeSyn(change: (frame: Uint8Array, at: number) => void): Middlebox {
  return rewrite(isSyn, (frame) => {
    for (const { at } of optionsOf(frame)) if (frame[at] === mptcpOptionKind) change(frame, at);
  });
}

const rows: Row[] = [
  { row: 1, behaviour: "none", allowed: ["MP"] },
  {
    row: 7,
    behaviour: "strip MP_CAPABLE from the SYN",
    allowed: ["TCP"],
    install: everywhere(() => stripMptcp(isSyn)),
  },
  {
    row: 8,
    behaviour: "strip MP_CAPABLE from the SYN/ACK",
    allowed: ["TCP"],
    install: everywhere(undefined, () => stripMptcp(isSyn)),
  },
  {
    row: 9,
    behaviour: "strip the option from the third ACK only",
    allowed: ["TCP", "MP"],
    install: everywhere(() => stripMptcp(once(isNotSyn))),
  },
  { row: 10, behaviour: "lose the third ACK", allowed: ["MP"], install: everywhere(() => dropWhen(once(isNotSyn))) },
  {
    row: 11,
    behaviour: "strip options from every non-SYN",
    allowed: ["TCP"],
    install: everywhere(
      () => stripMptcp(isNotSyn),
      () => stripMptcp(isNotSyn),
    ),
  },
  {
    row: 12,
    behaviour: "strip options from non-SYNs towards the server",
    allowed: ["TCP"],
    install: everywhere(() => stripMptcp(isNotSyn)),
  },
  {
    row: 13,
    behaviour: "strip options from non-SYNs towards the client",
    allowed: ["TCP", "RST"],
    install: everywhere(undefined, () => stripMptcp(isNotSyn)),
  },
  {
    row: 14,
    behaviour: "strip options from data segments only",
    allowed: ["TCP"],
    install: everywhere(
      () => stripMptcp(hasData),
      () => stripMptcp(hasData),
    ),
  },
  {
    row: 15,
    behaviour: "strip options from pure ACKs only",
    allowed: ["TCP", "MP"],
    install: everywhere(
      () => stripMptcp((s) => isNotSyn(s) && !hasData(s)),
      () => stripMptcp((s) => isNotSyn(s) && !hasData(s)),
    ),
  },
  {
    row: 16,
    behaviour: "strip DSS in mid-stream, one subflow",
    paths: 1,
    allowed: ["TCP", "RST"],
    install: everywhere(
      () => later(midStream, stripMptcp(isNotSyn)),
      () => later(midStream, stripMptcp(isNotSyn)),
    ),
  },
  {
    row: 17,
    behaviour: "strip DSS in mid-stream on one of two subflows",
    allowed: ["MP-1"],
    install: (pair) => onLink(pair, 1, later(midStream, stripMptcp(isNotSyn)), later(midStream, stripMptcp(isNotSyn))),
  },
  {
    row: 18,
    behaviour: "strip DSS in mid-stream on all subflows",
    allowed: ["RST"],
    install: everywhere(
      () => later(midStream, stripMptcp(isNotSyn)),
      () => later(midStream, stripMptcp(isNotSyn)),
    ),
  },
  {
    row: 19,
    behaviour: "NOPs over options of all segments",
    allowed: ["TCP"],
    install: everywhere(
      () => stripMptcp(() => true),
      () => stripMptcp(() => true),
    ),
  },
  {
    row: 20,
    behaviour: "EOL over options after the SYN",
    allowed: ["TCP"],
    install: everywhere(
      () => overwriteMptcp(0),
      () => overwriteMptcp(0),
    ),
  },
  {
    row: 21,
    behaviour: "strip MP_JOIN from the SYN on path 2",
    allowed: ["MP-1"],
    install: (pair) => onLink(pair, 1, stripMptcp(isSyn)),
  },
  {
    row: 22,
    behaviour: "strip MP_JOIN from the SYN/ACK on path 2",
    allowed: ["MP-1"],
    install: (pair) => onLink(pair, 1, undefined, stripMptcp(isSyn)),
  },
  {
    row: 23,
    behaviour: "strip MP_JOIN from its third ACK",
    allowed: ["MP-1"],
    install: (pair) =>
      onLink(
        pair,
        1,
        stripMptcp((s) => s.mptcp.has(mptcpPresent.join) && isNotSyn(s)),
      ),
  },
  {
    row: 24,
    behaviour: "strip options from non-SYNs on path 2",
    allowed: ["MP-1"],
    install: (pair) => onLink(pair, 1, stripMptcp(isNotSyn), stripMptcp(isNotSyn)),
  },
  {
    row: 25,
    behaviour: "drop the MP_JOIN SYN",
    allowed: ["MP-1"],
    install: (pair) => onLink(pair, 1, dropWhen(isJoinSyn)),
  },
  {
    row: 26,
    behaviour: "RST on the MP_JOIN SYN",
    allowed: ["MP-1"],
    install: (pair) => onLink(pair, 1, resetWhen(pair.network, pair.links[1]!, isJoinSyn)),
  },
  {
    row: 27,
    behaviour: "drop SYNs that carry the option",
    allowed: ["TCP"],
    install: everywhere(() => dropWhen((s) => isSyn(s) && s.mptcp.present !== 0)),
  },
  {
    row: 28,
    behaviour: "drop SYN/ACKs that carry the option",
    allowed: ["TCP"],
    install: everywhere(undefined, () => dropWhen((s) => isSyn(s) && s.mptcp.present !== 0)),
  },
  {
    row: 29,
    behaviour: "RST on SYNs that carry the option",
    allowed: ["TCP"],
    install: (pair) =>
      onLinks(pair, (i) => ({ up: resetWhen(pair.network, pair.links[i]!, (s) => isSyn(s) && s.mptcp.present !== 0) })),
  },
  {
    row: 30,
    behaviour: "drop data segments that carry options, one subflow",
    paths: 1,
    allowed: ["RST", "TCP"],
    install: everywhere(() => dropWhen((s) => hasData(s) && s.mptcp.present !== 0)),
  },
  {
    row: 30,
    behaviour: "drop data segments that carry options, first path of two",
    allowed: ["RST", "TCP", "MP-1"],
    install: (pair) =>
      onLink(
        pair,
        0,
        dropWhen((s) => hasData(s) && s.mptcp.present !== 0),
      ),
  },
  {
    row: 30,
    behaviour: "drop data segments that carry options, second path of two",
    allowed: ["MP-1"],
    install: (pair) =>
      onLink(
        pair,
        1,
        dropWhen((s) => hasData(s) && s.mptcp.present !== 0),
        dropWhen((s) => hasData(s) && s.mptcp.present !== 0),
      ),
  },
  {
    row: 46,
    behaviour: "a transparent proxy that ends TCP",
    allowed: ["TCP"],
    install: everywhere(
      () => stripMptcp(() => true),
      () => stripMptcp(() => true),
    ),
  },
  { row: 64, behaviour: "the server does not speak MPTCP", allowed: ["TCP"], options: { server: { mptcp: false } } },
  {
    row: 65,
    behaviour: "an unknown token in MP_JOIN",
    allowed: ["MP-1"],
    install: (pair) =>
      onLink(
        pair,
        1,
        changeSyn((frame, at) => void (frame[at + 4]! ^= 0xff)),
      ),
  },
  {
    row: 66,
    behaviour: "another HMAC in MP_JOIN's SYN/ACK",
    allowed: ["MP-1"],
    install: (pair) =>
      onLink(
        pair,
        1,
        undefined,
        changeSyn((frame, at) => void (frame[at + 4]! ^= 0xff)),
      ),
  },
  {
    row: 66,
    behaviour: "another HMAC in MP_JOIN's third ACK",
    allowed: ["MP-1"],
    install: (pair) =>
      onLink(
        pair,
        1,
        rewrite(
          (s) => s.mptcp.has(mptcpPresent.join) && isNotSyn(s),
          (frame) => {
            for (const { at } of optionsOf(frame)) if (frame[at] === mptcpOptionKind) frame[at + 4]! ^= 0xff;
          },
        ),
      ),
  },
  {
    row: 67,
    behaviour: "an unsupported version in MP_CAPABLE",
    allowed: ["TCP"],
    install: everywhere(() => changeSyn((frame, at) => void (frame[at + 2] = 2))),
  },
  {
    row: 67,
    behaviour: "flag H absent",
    allowed: ["TCP"],
    install: everywhere(() => changeSyn((frame, at) => void (frame[at + 3]! &= ~1))),
  },
  {
    row: 67,
    behaviour: "flag B set",
    allowed: ["TCP"],
    install: everywhere(() => changeSyn((frame, at) => void (frame[at + 3]! |= 0x40))),
  },
  {
    row: 68,
    behaviour: "checksums asked for by the client",
    allowed: ["MP"],
    options: { client: { dssChecksum: true } },
  },
  {
    row: 68,
    behaviour: "checksums asked for by the server",
    allowed: ["MP"],
    options: { server: { dssChecksum: true } },
  },
  {
    row: 69,
    behaviour: "checksums against what was negotiated",
    paths: 1,
    allowed: ["RST", "TCP"],
    options: { client: { dssChecksum: true } },
    install: everywhere(() => changeSyn((frame, at) => void (frame[at + 3]! &= ~0x80))),
  },
];

describeRows("middleboxes and options", rows);

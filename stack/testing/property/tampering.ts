/** What a box on a path does to segments: one name each, so that a scenario is a plain value. */

import { mptcpOptionKind } from "../../wire/mptcp-options.ts";
import { tcpFlag, type TcpSegment } from "../../wire/tcp-segment.ts";
import type { Middlebox } from "../network.ts";
import { seededRandom } from "../random.ts";
import { coalesceSegments, splitSegments } from "../segment-surgery.ts";
import { optionsOf, rewrite, rewriteChecksum, segmentOf, stripMptcp, stripOptions, tcpStartOf } from "../wire-tap.ts";

export interface Tampering {
  kind: TamperingKind;
  /** Seed of the box's own chances, or its parameter. */
  value: number;
}

const always = (): boolean => true;
const isSyn = (segment: TcpSegment): boolean => segment.has(tcpFlag.syn);
const isData = (segment: TcpSegment): boolean => segment.payloadLength > 0;

const makers = {
  "strip-syn": () => stripMptcp(isSyn),
  "strip-non-syn": () => stripMptcp((segment) => !isSyn(segment)),
  "strip-data": () => stripMptcp(isData),
  "strip-acknowledgements": () => stripMptcp((segment) => !isSyn(segment) && !isData(segment)),
  "strip-all": () => stripMptcp(always),
  "strip-some": (value) => stripMptcp(sometimes(value, 10)),
  "strip-subtype": (value) => stripOptions(mptcpOptionKind, value % 9, always),
  "strip-later": (value) => stripLater(value % 40),
  "end-of-options": () => endOptionsEarly,
  "no-timestamps": () => stripOptions(8, -1, always),
  "no-selective-acknowledgements": () => stripOptions(4, -1, always),
  "no-window-scale": () => stripOptions(3, -1, always),
  "segment-size-clamp": (value) => clampSegmentSize(536 + (value % 900)),
  "window-clamp": (value) => clampWindow(8_192 + (value % 8_192)),
  "reorder-options": () => reverseOptions,
  "split-both": () => splitSegments("both"),
  "split-first": () => splitSegments("first"),
  "split-second": () => splitSegments("second"),
  "coalesce-first": () => coalesceSegments("first"),
  "coalesce-last": () => coalesceSegments("last"),
  "flip-bits": (value) => flipBits(value),
  "rewrite-payload": (value) => rewriteSomePayload(value),
} satisfies Record<string, (value: number) => Middlebox>;

export type TamperingKind = keyof typeof makers;

export const tamperings = Object.keys(makers) as TamperingKind[];

export function boxFor({ kind, value }: Tampering): Middlebox {
  return makers[kind](value);
}

function sometimes(seed: number, oneIn: number): (segment: TcpSegment) => boolean {
  const random = seededRandom(seed);
  return (segment) => !isSyn(segment) && random() % oneIn === 0;
}

/** A path changes in mid-stream: nothing is stripped before `count` segments have passed. */
function stripLater(count: number): Middlebox {
  let seen = 0;
  return stripMptcp(() => seen++ >= count);
}

/** Writes "end of options" over the first MPTCP option: what follows it is lost too. */
const endOptionsEarly: Middlebox = (frame) => {
  const first = segmentOf(frame) && optionsOf(frame).find(({ at }) => frame[at] === mptcpOptionKind);
  if (first === undefined) return true;
  const start = tcpStartOf(frame);
  frame.fill(0, first.at, start + (frame[start + 12]! >> 4) * 4);
  rewriteChecksum(frame);
  return true;
};

/** The same options, the last first. */
const reverseOptions: Middlebox = (frame) => {
  if (segmentOf(frame) === undefined) return true;
  const reversed = optionsOf(frame)
    .toReversed()
    .map(({ at, length }) => frame.slice(at, at + length));
  const start = tcpStartOf(frame);
  frame.fill(1, start + 20, start + (frame[start + 12]! >> 4) * 4);
  let at = start + 20;
  for (const option of reversed) {
    frame.set(option, at);
    at += option.length;
  }
  rewriteChecksum(frame);
  return true;
};

function clampSegmentSize(most: number): Middlebox {
  return rewrite(isSyn, (frame, view) => {
    for (const { at, length } of optionsOf(frame)) {
      if (frame[at] === 2 && length === 4) view.setUint16(at + 2, Math.min(most, view.getUint16(at + 2)));
    }
  });
}

/** The field is clamped, whatever the scale: a box that has missed the SYN. */
function clampWindow(most: number): Middlebox {
  return rewrite(always, (frame, view, segment) =>
    view.setUint16(tcpStartOf(frame) + 14, Math.min(most, segment.window)),
  );
}

/** One wrong bit, which the checksums of IP and TCP do not let pass. */
function flipBits(seed: number): Middlebox {
  const random = seededRandom(seed);
  return (frame) => {
    if (random() % 20 !== 0 || segmentOf(frame) === undefined) return true;
    const bit = random() % ((frame.length - 14) * 8);
    frame[14 + (bit >> 3)]! ^= 1 << (bit & 7);
    return true;
  };
}

/**
 * An application-level gateway: other bytes, right checksums of IP and TCP. Bits are set and never cleared, so that two changes in one mapping do not cancel each other
 * out in its checksum, which is a sum.
 */
function rewriteSomePayload(seed: number): Middlebox {
  const applies = sometimes(seed, 8);
  return rewrite(
    (segment) => isData(segment) && applies(segment),
    (frame, _view, segment) => {
      let at = segment.payloadOffset + (seed % segment.payloadLength);
      while (at < frame.length && (frame[at]! & 0x20) !== 0) at++;
      if (at < frame.length) frame[at]! |= 0x20;
    },
  );
}

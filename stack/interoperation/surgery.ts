/** What middleboxes and attackers of the cases do to a segment on its way. */

import { checksumAdd, checksumFinish } from "../wire/checksum.ts";
import { ipProtocol } from "../wire/ipv4.ts";
import { mptcpOptionKind, type mptcpSubtype } from "../wire/mptcp-options.ts";
import { tcpFlag, tcpHeaderLength, tcpOptionKind } from "../wire/tcp-segment.ts";
import type { Passing } from "./fabric.ts";

type Subtype = (typeof mptcpSubtype)[keyof typeof mptcpSubtype];

const flagsOffset = 13;
const checksumOffset = 16;
/** Source and destination together stand right before TCP, in both families. */
const addressesLength = { ipv4: 8, ipv6: 32 } as const;

/** Offset in the frame of the MPTCP option with this subtype. @throws Error when the segment has none */
export function optionOffset(passing: Passing, subtype: Subtype): number {
  for (const [at, kind] of options(passing))
    if (kind === mptcpOptionKind && passing.frame[at + 2]! >> 4 === subtype) return at;
  throw new Error(`no MPTCP option of subtype ${subtype}`);
}

/** Turns bits of one octet over; the TCP checksum is right afterwards. */
export function flip(passing: Passing, offset: number, mask = 0xff): void {
  passing.frame[offset]! ^= mask;
  seal(passing);
}

/** NOPs where options of this kind were (default: MPTCP's). */
export function strip(passing: Passing, kind: number = mptcpOptionKind): void {
  for (const [at, found, length] of options(passing))
    if (found === kind) passing.frame.fill(tcpOptionKind.noOperation, at, at + length);
  seal(passing);
}

/** The segment becomes a reset, in the place in the stream where it stands. */
export function makeReset(passing: Passing): void {
  strip(passing);
  passing.frame[passing.tcpStart + flagsOffset] = tcpFlag.rst | tcpFlag.ack;
  seal(passing);
}

/** `octet` of the payload is changed as by an application-level gateway: nobody's TCP checksum sees it. */
export function corrupt(passing: Passing, octet = 0): void {
  flip(passing, passing.segment.payloadOffset + octet);
}

/** [offset, kind, length] of each option that is not padding. */
function options({ frame, tcpStart }: Passing): [number, number, number][] {
  const found: [number, number, number][] = [];
  const end = tcpStart + (frame[tcpStart + 12]! >> 4) * 4;
  for (let at = tcpStart + tcpHeaderLength; at < end && frame[at] !== tcpOptionKind.end;) {
    const kind = frame[at]!;
    const length = kind === tcpOptionKind.noOperation ? 1 : frame[at + 1]!;
    if (length > 1) found.push([at, kind, length]);
    at += length;
  }
  return found;
}

function seal({ frame, family, tcpStart, checksumIsPartial }: Passing): void {
  if (checksumIsPartial) return; // The receiver's kernel, or device, takes it as right.
  const view = new DataView(frame.buffer, frame.byteOffset, frame.byteLength);
  const length = frame.length - tcpStart; // veth pads nothing.
  view.setUint16(tcpStart + checksumOffset, 0);
  const addresses = checksumAdd(0, frame, tcpStart - addressesLength[family], addressesLength[family]);
  const sum = checksumAdd(addresses + ipProtocol.tcp + length, frame, tcpStart, length);
  view.setUint16(tcpStart + checksumOffset, checksumFinish(sum));
}

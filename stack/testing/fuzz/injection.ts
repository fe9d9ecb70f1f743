/** Segments that somebody writes into a running connection: real ones of its own, with fields changed and the checksums right. */

import { mptcpOptionKind } from "../../wire/mptcp-options.ts";
import { tcpFlag } from "../../wire/tcp-segment.ts";
import { seededRandom } from "../random.ts";
import { optionsOf, rewriteChecksum, tcpStart } from "../wire-tap.ts";

/** What the writer knows. Who is blind guesses numbers: nothing of his is acceptable (RFC 5961). */
export type Knowledge = "numbers" | "blind";

type Random = () => number;

/** A segment of the connection, changed as `seed` says. */
export function forge(real: Uint8Array, knowledge: Knowledge, seed: number): Uint8Array {
  const random = seededRandom(seed);
  let frame: Uint8Array = real.slice();
  const change = (): void => {
    const kind = random() % 7;
    if (kind === 0) shift(frame, 4, random);
    else if (kind === 1) shift(frame, 8, random);
    else if (kind === 2) frame[tcpStart + 13] = random() & 0xff;
    else if (kind === 3) frame[tcpStart + 14 + (random() % 2)] = random() & 0xff;
    else if (kind === 4) frame = resized(frame, random);
    else changeOption(frame, random);
  };
  for (let changes = 1 + (random() % 3); changes > 0; changes--) change();
  if (knowledge === "blind") makeUnacceptable(frame, random);
  rewriteChecksum(frame);
  return frame;
}

/** A number in the header moves: mostly a little, now and then far away. */
function shift(frame: Uint8Array, at: number, random: Random): void {
  const view = new DataView(frame.buffer);
  const distances = [1, -1, 2, 1_000, -1_000, 1_428, -1_428, 70_000, -70_000, 2 ** 30, 2 ** 31];
  const distance = distances[random() % distances.length]!;
  view.setUint32(tcpStart + at, (view.getUint32(tcpStart + at) + distance) >>> 0);
}

function resized(frame: Uint8Array, random: Random): Uint8Array {
  const headers = tcpStart + (frame[tcpStart + 12]! >> 4) * 4;
  const changed = new Uint8Array(headers + (random() % 1_400));
  changed.set(frame.subarray(0, Math.min(frame.length, changed.length)));
  return changed;
}

/** An MPTCP option becomes another: other subtype, flags, numbers, lengths. */
function changeOption(frame: Uint8Array, random: Random): void {
  const options = optionsOf(frame).filter(({ at }) => frame[at] === mptcpOptionKind);
  const option = options[random() % Math.max(1, options.length)];
  if (option === undefined) return;
  const { at, length } = option;
  switch (random() % 4) {
    case 0:
      frame[at + 2] = random() & 0xff;
      break;
    case 1:
      frame[at + 3] = random() & 0xff;
      break;
    case 2:
      frame[at + 1] = 2 + (random() % length);
      break;
    default:
      frame[at + 2 + (random() % (length - 2))] = random() & 0xff;
  }
}

/**
 * Far outside any window: a challenge at most. A SYN comes with an acknowledgement, since without one it is acceptable to whoever is in SYN-SENT (simultaneous open,
 * RFC 9293 §3.5), whatever its number.
 */
function makeUnacceptable(frame: Uint8Array, random: Random): void {
  const view = new DataView(frame.buffer);
  const far = 2 ** 29 + (random() % 2 ** 30);
  if ((frame[tcpStart + 13]! & tcpFlag.syn) !== 0) frame[tcpStart + 13]! |= tcpFlag.ack;
  view.setUint32(tcpStart + 4, (view.getUint32(tcpStart + 4) + far) >>> 0);
  view.setUint32(tcpStart + 8, (view.getUint32(tcpStart + 8) + far) >>> 0);
}

/** Wrong frames out of right ones: a seeded choice of what goes wrong on networks and what attackers write. */

import { checksumAdd, checksumFinish } from "../../wire/checksum.ts";
import { seededRandom } from "../random.ts";

const ipStart = 14;

/** One to four changes, from flipped bits to other lengths; `seed` decides. */
export function mutate(original: Uint8Array, seed: number): Uint8Array {
  const random = seededRandom(seed);
  let frame = original.slice();
  for (let changes = 1 + (random() % 4); changes > 0; changes--) {
    const at = random() % Math.max(1, frame.length);
    switch (random() % 6) {
      case 0:
        if (frame.length > 0) frame[at]! ^= 1 << (random() % 8);
        break;
      case 1:
        if (frame.length > 0) frame[at] = random() & 255;
        break;
      case 2:
        frame = frame.slice(0, at);
        break;
      case 3:
        // Of the headers: lengths, offsets, options.
        if (frame.length > ipStart)
          frame[ipStart + (random() % Math.min(80, frame.length - ipStart))] = edgeByte(random);
        break;
      case 4: {
        const longer = new Uint8Array(frame.length + (random() % 64));
        longer.set(frame);
        frame = longer;
        break;
      }
      default:
        frame.copyWithin(at, random() % Math.max(1, frame.length), random() % Math.max(1, frame.length));
    }
  }
  if (random() % 2 === 0) rightIpv4Checksum(frame);
  return frame;
}

function edgeByte(random: () => number): number {
  const edges = [0, 1, 2, 3, 4, 12, 20, 30, 0x45, 0x50, 0x7f, 0x80, 0xf0, 0xfe, 0xff];
  return edges[random() % edges.length]!;
}

/** Without it, nothing behind the header would ever be reached. */
function rightIpv4Checksum(frame: Uint8Array): void {
  const headerLength = ((frame[ipStart] ?? 0) & 15) * 4;
  if (frame[12] !== 8 || frame[13] !== 0 || headerLength < 20 || frame.length < ipStart + headerLength) return;
  frame[24] = 0;
  frame[25] = 0;
  const checksum = checksumFinish(checksumAdd(0, frame, ipStart, headerLength));
  frame[24] = checksum >> 8;
  frame[25] = checksum & 255;
}

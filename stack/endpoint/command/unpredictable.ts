/** Keys, nonces and initial sequence numbers for the open network (RFC 8684 §5; RFC 6528). */
import { randomFillSync } from "node:crypto";

const words = new Uint32Array(256);
let used = words.length;

/** An unsigned 32-bit number that nobody can tell beforehand. */
export function unpredictable(): number {
  if (used === words.length) {
    randomFillSync(words);
    used = 0;
  }
  return words[used++]!;
}

/** The checksum of a data sequence mapping (RFC 8684 §3.3.1): its payload and a pseudo-header of data sequence, subflow sequence and length. */

import type { SentRange } from "../tcp/sent-queue.ts";
import { checksumAdd, checksumAddOdd, checksumFinish, checksumFold } from "../wire/checksum.ts";
import { addHigh, addLow, type Uint64 } from "../wire/sequence.ts";

function pseudoHeader(high: number, low: number, subflowSequence: number, length: number): number {
  return (
    (high >>> 16) +
    (high & 0xffff) +
    (low >>> 16) +
    (low & 0xffff) +
    (subflowSequence >>> 16) +
    (subflowSequence & 0xffff) +
    length
  );
}

/**
 * For a range that covers its whole mapping. `base`: data sequence number of data offset 0; `synData`: bytes of our SYN, from behind which subflow sequence numbers
 * are counted (RFC 8684, appendix B.2).
 */
export function mappingChecksum(range: SentRange, base: Uint64, synData: number): number {
  const subflowSequence = (range.mappingStart - synData) >>> 0;
  let before = range.mappingStart - range.start;
  let sum = pseudoHeader(
    addHigh(base, range.mappingDataStart),
    addLow(base, range.mappingDataStart),
    subflowSequence,
    range.mappingLength,
  );
  let odd = false;
  for (let i = 0; i < range.pieceCount; i++) {
    const skipped = Math.min(before, range.lengths[i]!);
    before -= skipped;
    const length = range.lengths[i]! - skipped;
    const offset = range.offsets[i]! + skipped;
    sum = odd
      ? checksumAddOdd(sum, range.buffers[i]!, offset, length)
      : checksumAdd(sum, range.buffers[i]!, offset, length);
    if (length & 1) odd = !odd;
  }
  return checksumFinish(sum);
}

/** The checksum of a DATA_FIN without data: a mapping of length 1 at subflow sequence 0. */
export function dataFinChecksum(base: Uint64, dataOffset: number): number {
  return checksumFinish(pseudoHeader(addHigh(base, dataOffset), addLow(base, dataOffset), 0, 1));
}

/** Whether `pieces`, the payload of a received mapping, fit its checksum. */
export function checksumFits(
  pieces: readonly Uint8Array[],
  base: Uint64,
  dataStart: number,
  subflowStart: number,
  length: number,
  checksum: number,
): boolean {
  let sum = pseudoHeader(addHigh(base, dataStart), addLow(base, dataStart), subflowStart >>> 0, length) + checksum;
  let odd = false;
  for (const piece of pieces) {
    sum = odd ? checksumAddOdd(sum, piece, 0, piece.length) : checksumAdd(sum, piece, 0, piece.length);
    if (piece.length & 1) odd = !odd;
  }
  return checksumFold(sum) === 0xffff;
}

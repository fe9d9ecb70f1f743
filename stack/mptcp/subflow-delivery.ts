/** In-order bytes of a subflow to their place in the connection, by the mappings that the peer has declared (RFC 8684 §3.3.1, §3.3.2). */

import { checksumFits } from "./dss-checksum.ts";
import type { Mapping } from "./mapping-table.ts";
import type { Subflow } from "./subflow.ts";

/** `length` bytes that stand at `offset` of the subflow's stream; only lent. */
export function deliverMapped(
  subflow: Subflow,
  offset: number,
  bytes: Uint8Array,
  byteOffset: number,
  length: number,
  now: number,
): void {
  const { connection } = subflow;
  while (length > 0 && !subflow.endpoint.closed) {
    const infinite = subflow.infiniteMapping;
    if (infinite !== undefined && offset >= infinite.subflowStart) {
      connection.onData(infinite.dataStart + (offset - infinite.subflowStart), bytes, byteOffset, length);
      subflow.delivered = offset + length;
      return;
    }
    const mapping = subflow.mappings.find(offset);
    if (mapping === undefined) {
      if (!connection.fallback.onUnmappedData(subflow, offset, now)) return;
      continue;
    }
    const taken = Math.min(length, mapping.subflowStart + mapping.length - offset);
    if (connection.checksumEnabled && mapping.checksum >= 0) {
      holdForChecksum(subflow, mapping, offset, bytes.slice(byteOffset, byteOffset + taken), now);
    } else {
      connection.onData(mapping.dataStart + (offset - mapping.subflowStart), bytes, byteOffset, taken);
    }
    offset += taken;
    byteOffset += taken;
    length -= taken;
    subflow.delivered = offset;
    subflow.mappings.consume(offset);
  }
}

/** Nothing of a mapping is delivered before its checksum has been seen to be right. */
function holdForChecksum(subflow: Subflow, mapping: Mapping, offset: number, piece: Uint8Array, now: number): void {
  const { connection } = subflow;
  subflow.unverified.push(piece);
  if (offset + piece.length < mapping.subflowStart + mapping.length) return;
  const pieces = subflow.unverified;
  subflow.unverified = [];
  const base = connection.peerKey!.firstDataSequence;
  const { dataStart, subflowStart, declaredLength, checksum } = mapping;
  if (!checksumFits(pieces, base, dataStart, subflowStart, declaredLength, checksum)) {
    if (!connection.fallback.onChecksumFailure(subflow, mapping, now)) return;
  }
  let position = dataStart;
  for (const held of pieces) {
    connection.onData(position, held, 0, held.length);
    position += held.length;
  }
}

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
  const { held } = subflow;
  if (held.first !== undefined) releaseHeld(subflow, now);
  const taken = held.first === undefined ? deliver(subflow, offset, bytes, byteOffset, length, now) : 0;
  if (taken === length || subflow.endpoint.closed) return;
  const from = byteOffset + taken;
  held.add({ offset: offset + taken, bytes: bytes.slice(from, byteOffset + length) }, now);
  subflow.connection.subflowSet.withdrawJoins(now);
  if (held.isFull) giveUpHeld(subflow, now);
}

/** A mapping has come, or the infinite one holds: what waited for it is delivered. */
export function releaseHeld(subflow: Subflow, now: number): void {
  const { held } = subflow;
  for (let piece = held.first; piece !== undefined && !subflow.endpoint.closed; piece = held.first) {
    const { offset, bytes } = piece;
    const taken = deliver(subflow, offset, bytes, 0, bytes.length, now);
    if (taken === 0) return;
    held.take(taken, now);
  }
  subflow.connection.paths.update(now);
}

/** The mapping did not come in time. */
export function giveUpHeld(subflow: Subflow, now: number): void {
  const { first } = subflow.held;
  if (first !== undefined && subflow.connection.fallback.onUnmappedData(subflow, first.offset, now))
    releaseHeld(subflow, now);
}

/** Delivers what mappings cover; how many of the bytes that were. */
function deliver(
  subflow: Subflow,
  start: number,
  bytes: Uint8Array,
  byteOffset: number,
  length: number,
  now: number,
): number {
  const { connection } = subflow;
  const end = start + length;
  let offset = start;
  while (offset < end && !subflow.endpoint.closed) {
    const infinite = subflow.infiniteMapping;
    if (infinite !== undefined && offset >= infinite.subflowStart) {
      const dataOffset = infinite.dataStart + (offset - infinite.subflowStart);
      connection.dataReceiver.onData(dataOffset, bytes, byteOffset + (offset - start), end - offset);
      subflow.delivered = end;
      return length;
    }
    const mapping = subflow.mappings.find(offset);
    if (mapping === undefined) break;
    const taken = Math.min(end, mapping.subflowStart + mapping.length) - offset;
    const from = byteOffset + (offset - start);
    if (connection.checksumEnabled && mapping.checksum >= 0) {
      holdForChecksum(subflow, mapping, offset, bytes.slice(from, from + taken), now);
    } else {
      connection.dataReceiver.onData(mapping.dataStart + (offset - mapping.subflowStart), bytes, from, taken);
    }
    offset += taken;
    subflow.delivered = offset;
    subflow.mappings.consume(offset);
  }
  return offset - start;
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
  if (!checksumFits(pieces, base, dataStart, subflowStart - subflow.synDataReceived, declaredLength, checksum)) {
    if (!connection.fallback.onChecksumFailure(subflow, mapping, now)) return;
  }
  let position = dataStart;
  for (const held of pieces) {
    connection.dataReceiver.onData(position, held, 0, held.length);
    position += held.length;
  }
}

/** Fallback: what waited for the end of its mapping is data without a checksum, as all that follows (RFC 8684 §3.7). */
export function releaseUnverified(subflow: Subflow): void {
  const pieces = subflow.unverified;
  if (pieces.length === 0) return;
  subflow.unverified = [];
  const waiting = pieces.reduce((sum, { length }) => sum + length, 0);
  const { dataStart, subflowStart } = subflow.mappings.find(subflow.delivered)!;
  let position = dataStart + (subflow.delivered - waiting - subflowStart);
  for (const piece of pieces) {
    subflow.connection.dataReceiver.onData(position, piece, 0, piece.length);
    position += piece.length;
  }
}

/** Data on the SYN of a connection's first subflow (RFC 7413): they stand before the data sequence space (RFC 8684, appendix B.2). */

import type { SentRange } from "../tcp/sent-queue.ts";
import type { TcpSegment } from "../wire/tcp-segment.ts";
import { mappingChecksum } from "./dss-checksum.ts";
import { behindSynData } from "./keys.ts";
import type { Subflow } from "./subflow.ts";

/** At most `limit` bytes for our SYN, appended to the sender and filled in; undefined: none. */
export function takeSynData(subflow: Subflow, limit: number): SentRange | undefined {
  const { connection } = subflow;
  // What stands before the data sequence space has no checksum, and we want one (RFC 8684, appendix B.2).
  if (subflow.isJoin || (!connection.plain && connection.checksumEnabled)) return undefined;
  return connection.dataSender.takeForSyn(subflow, limit);
}

/** The peer has taken the first `accepted` bytes: the mappings of what follows begin behind them. */
export function settleSynData(subflow: Subflow, accepted: number, now: number): void {
  const { connection } = subflow;
  if (connection.plain) return;
  const range = subflow.endpoint.sender.queue.head!;
  if (accepted > 0) {
    subflow.synDataSent = accepted;
    connection.hasSentSynData = true;
    connection.localKey = behindSynData(connection.localKey!, accepted);
  }
  connection.dataSender.acknowledgeSynData(accepted, now);
  range.mappingStart = 1 + accepted;
  range.mappingDataStart = accepted;
  range.mappingLength = range.length - accepted;
  if (connection.checksumEnabled)
    range.mappingChecksum = mappingChecksum(range, connection.localKey!.firstDataSequence, accepted);
}

/** `length` bytes have come with the peer's SYN. False: they are not to be taken. */
export function prepareSynData(subflow: Subflow, length: number, segment: TcpSegment): boolean {
  const { connection } = subflow;
  if (subflow.isJoin) return false;
  if (connection.plain) return true;
  // A peer that asks for checksums and sends data all the same is content without one for them.
  if (connection.environment.dssChecksum) return false;
  subflow.synDataReceived = length;
  subflow.mappings.add(1, 0, length, -1, length);
  connection.dataSender.windowEdge = segment.window;
  return true;
}

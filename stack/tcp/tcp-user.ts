/** What a subflow asks of the connection that it belongs to, and of the host that carries its segments. */

import type { SubflowCloseReason } from "../events.ts";
import type { TcpSegment } from "../wire/tcp-segment.ts";
import type { PacketMarking } from "./packet-marking.ts";
import type { SentRange } from "./sent-queue.ts";

export interface TcpUser {
  /** Most bytes of MPTCP options on a data segment; the MSS shrinks by them. */
  readonly dataOptionsLength: number;
  /** The window that the peer tells is also filled by others: it may seem to shrink. */
  readonly windowIsShared: boolean;
  readonly marking: PacketMarking;
  /** The connection has ended for the application. */
  readonly ended: boolean;
  /** Adds MPTCP options to a segment about to be sent; `range` when it carries data. `attempt` counts transmissions of a SYN from 0. */
  addOptions(segment: TcpSegment, range: SentRange | undefined, attempt: number): void;
  /** A SYN (passive) or SYN/ACK (active) came. False: refuse it with a reset. */
  handleSynOptions(segment: TcpSegment, now: number): boolean;
  /** The peer's SYN has come once more (passive): our SYN/ACK has not reached it. */
  handleRepeatedSyn(segment: TcpSegment): void;
  /** Every acceptable segment after the SYN, or a RST that answers ours, before its payload. False: ignore the rest of it. */
  handleOptions(segment: TcpSegment, now: number): boolean;
  /** Payload in order; the bytes are only lent. */
  handlePayload(offset: number, bytes: Uint8Array, byteOffset: number, length: number, now: number): void;
  handleFin(now: number): void;
  /** `range` is acknowledged up to offset `end` of the subflow. */
  handleAcknowledged(range: SentRange, end: number): void;
  /** The peer has answered: something new was acknowledged. */
  handleProgress(now: number): void;
  handleRttSample(rttMicroseconds: number, now: number): void;
  handleRetransmissionTimeout(now: number): void;
  /** Data for the SYN of a fast open, at most `limit` bytes, appended to the sender and filled in; undefined: none. */
  takeSynData(limit: number): SentRange | undefined;
  /** Of the data on our SYN the peer has taken the first `accepted` bytes; it knows how large its window is. */
  handleSynDataAnswered(accepted: number, now: number): void;
  /** `length` bytes have come with the peer's SYN. False: they are not to be taken. */
  prepareSynData(length: number, segment: TcpSegment): boolean;
  /** Data may be sent before the peer has answered our SYN/ACK (RFC 7413 §4.2). */
  readonly mayAnswerSyn: boolean;
  handleEstablished(now: number): void;
  handleClosed(reason: SubflowCloseReason, now: number): void;
  /** Bytes of window to advertise, counted from what is acknowledged at the data level. */
  receiveWindow(): number;
}

export interface SegmentOutput {
  /** Sends `segment`; its payload is that of `range`. */
  transmitSegment(segment: TcpSegment, range: SentRange | undefined, gsoSize: number, endpoint: SegmentRoute): void;
}

/** How a segment leaves: chosen once, when the subflow is made. */
export interface SegmentRoute {
  readonly interfaceIndex: number;
}

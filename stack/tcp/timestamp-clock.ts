/** Timestamps (RFC 7323): echo, and protection against wrapped sequence numbers (PAWS, §5). The clock ticks in milliseconds from a random start. */

import { mptcpPresent } from "../wire/mptcp-options.ts";
import { maximumOptionsLength, tcpOptionsLength, timestampsLength } from "../wire/tcp-emit.ts";
import { tcpFlag, type TcpSegment } from "../wire/tcp-segment.ts";

/** RFC 7323 §5.5: a recent timestamp older than this is not compared any more. */
const staleAfter = 24 * 86_400 * 1_000_000;

/** A signal without data, and with an HMAC of its own: ADD_ADDR with an IPv6 address and a port (RFC 8684 §3.4.1). Who sends it has no place for the option. */
function leavesNoRoom(segment: TcpSegment): boolean {
  if (segment.payloadLength > 0 || !segment.mptcp.has(mptcpPresent.addAddress)) return false;
  return tcpOptionsLength(segment) + timestampsLength > maximumOptionsLength;
}

export class TimestampClock {
  readonly #offset: number;
  enabled = false;
  #offered = false;
  /** TS.Recent and when it was taken. */
  #recent = 0;
  #recentAt = 0;
  /** From our acknowledgement to the data that answer it, in microseconds: the round trip as a side that only receives can see it; 0: not known. */
  receiverRoundTrip = 0;
  #lastEcho = -1;
  /** Last.ACK.sent, as an offset. */
  #lastAckSent = 0;

  constructor(offset: number) {
    this.#offset = offset;
  }

  offer(): void {
    this.#offered = true;
  }

  /** A SYN or SYN/ACK came. */
  negotiate(segment: TcpSegment, now: number): void {
    this.enabled = segment.hasTimestamps;
    if (!this.enabled) return;
    this.#recent = segment.timestampValue;
    this.#recentAt = now;
    this.#lastAckSent = 1;
  }

  /** "old": PAWS refuses it (§5.3). "missing": the option that was agreed on is not there, the segment is to be dropped (§3.2). */
  judge(segment: TcpSegment, start: number, next: number, now: number): "acceptable" | "old" | "missing" {
    if (!this.enabled) return "acceptable";
    if (!segment.hasTimestamps) return leavesNoRoom(segment) ? "acceptable" : "missing";
    if (!this.isNewer(segment, now, true)) return "old";
    // RFC 7323 §4.3: the timestamp of the segment that covers the last acknowledgement sent.
    if (start <= this.#lastAckSent && start <= next) {
      this.#recent = segment.timestampValue;
      this.#recentAt = now;
    }
    return "acceptable";
  }

  /** A segment with data: the first that echoes one of our timestamps was sent when that had arrived, or later, when the peer had nothing to send before. */
  noteData(segment: TcpSegment, now: number): void {
    if (!this.enabled || segment.timestampEcho === this.#lastEcho) return;
    this.#lastEcho = segment.timestampEcho;
    const sample = ((this.#tick(now) - segment.timestampEcho) | 0) * 1_000;
    if (sample <= 0) return;
    const known = this.receiverRoundTrip;
    this.receiverRoundTrip = known === 0 || sample < known ? sample : known + (sample - known) / 8;
  }

  /** Whether the segment's timestamp is later than the last, or as late; a last one that is outdated compares with nothing (§5.5). */
  isNewer(segment: TcpSegment, now: number, orEqual: boolean): boolean {
    const difference = (segment.timestampValue - this.#recent) | 0;
    return difference > 0 || (orEqual && difference === 0) || now - this.#recentAt >= staleAfter;
  }

  write(segment: TcpSegment, now: number): void {
    segment.hasTimestamps =
      this.enabled || (this.#offered && (segment.flags & (tcpFlag.syn | tcpFlag.ack)) === tcpFlag.syn);
    segment.timestampValue = this.#tick(now);
    segment.timestampEcho = this.#recent;
  }

  /** TSval of what is sent now; -1: without timestamps. */
  valueAt(now: number): number {
    return this.enabled ? this.#tick(now) : -1;
  }

  #tick(now: number): number {
    return (Math.floor(now / 1000) + this.#offset) >>> 0;
  }

  noteAckSent(next: number): void {
    this.#lastAckSent = next;
  }
}

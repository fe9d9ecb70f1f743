/** What the two SYNs agree on (RFC 9293 §3.5, RFC 7323 §2, RFC 2018 §2), and how often ours was sent. */

import type { FastOpenPlan } from "./fast-open.ts";
import { tcpFlag, type TcpSegment } from "../wire/tcp-segment.ts";

/** SYN and SYN/ACK: first after a second, then doubling; given up when so many were not answered in time (RFC 9293 §3.8.3, R2 for SYN: bounded here at 31 s). */
const maximumTimeouts = 5;
/** RFC 9293 §3.7.1: what a peer takes that sends no MSS option: the least MTU of its IP less the fixed headers. */
const defaultSegmentSize = { ipv4: 536, ipv6: 1220 } as const;
/** An MSS option below this would make more header than data. */
const smallestSegmentSize = 64;

/** The smallest shift with which a window of so many bytes can be told (RFC 7323 §2.2). */
export function windowScaleFor(receiveBufferBytes: number): number {
  return Math.min(14, Math.max(0, Math.ceil(Math.log2(receiveBufferBytes / 65_535))));
}

export class Handshake {
  /** Payload and TCP options of a segment that we take: MTU minus the fixed headers (RFC 6691). */
  readonly ownSegmentSize: number;
  readonly #offeredScale: number;
  /** SYNs sent so far. */
  attempts = 0;
  /** How often nothing has answered them in time: one that answers the peer's own repetition is sent, too, and says nothing of the kind. */
  timeouts = 0;
  startedAt = 0;
  /** What of TCP Fast Open goes out with our first SYN (RFC 7413 §4.1.3). */
  fastOpen: FastOpenPlan | undefined;
  /** The cookie that our SYN/ACK grants (RFC 7413 §4.1.2). */
  grantedCookie: Uint8Array | undefined;
  /** TSval of the first SYN or SYN/ACK and of the latest; -1: without timestamps. */
  #firstTimestamp = -1;
  #latestTimestamp = -1;
  #latestSentAt = 0;
  /** The SYN or SYN/ACK is to be sent (again). */
  synDue = false;
  peerSegmentSize: number;
  #peerScale = 0;
  #scaling = false;

  constructor(ownSegmentSize: number, windowScale: number, family: "ipv4" | "ipv6") {
    this.peerSegmentSize = defaultSegmentSize[family];
    this.ownSegmentSize = ownSegmentSize;
    this.#offeredScale = windowScale;
  }

  begin(now: number): void {
    this.startedAt = now;
    this.synDue = true;
    this.attempts = 0;
    this.timeouts = 0;
  }

  get exhausted(): boolean {
    return this.timeouts >= maximumTimeouts;
  }

  noteSynSent(syn: TcpSegment, now: number): void {
    this.#latestTimestamp = syn.hasTimestamps ? syn.timestampValue : -1;
    this.#latestSentAt = now;
    if (this.attempts++ === 0) this.#firstTimestamp = this.#latestTimestamp;
  }

  /** `segment`, which acknowledges our SYN, answers the first that was sent: there was no other, or the timestamp that comes back is that of the first. */
  isAnsweredAtOnce(segment: TcpSegment): boolean {
    return this.attempts <= 1 || (segment.hasTimestamps && segment.timestampEcho === this.#firstTimestamp);
  }

  /** Microseconds from the SYN that `segment` answers, where it can be told which (RFC 7323 §4.1). */
  roundTripOf(segment: TcpSegment, now: number): number | undefined {
    if (this.isAnsweredAtOnce(segment)) return now - this.startedAt;
    return segment.hasTimestamps && segment.timestampEcho === this.#latestTimestamp
      ? now - this.#latestSentAt
      : undefined;
  }

  /** Both have offered to scale: by so many bits do we shift what we advertise. */
  get ownScale(): number {
    return this.#scaling ? this.#offeredScale : 0;
  }

  /** Bytes for which one in the window field stands; a shift, since a power of two is looked up in libm for each segment. */
  get windowUnit(): number {
    return 1 << this.ownScale;
  }

  /** The same of the peer's windows. */
  get peerScale(): number {
    return this.#peerScale;
  }

  get scaling(): boolean {
    return this.#scaling;
  }

  /** -1: not offered. A SYN/ACK scales only when the SYN did (RFC 7323 §2.2). */
  scaleToOffer(passive: boolean): number {
    return !passive || this.#scaling ? this.#offeredScale : -1;
  }

  takeSyn(segment: TcpSegment): void {
    if (segment.mss > 0) this.peerSegmentSize = Math.max(smallestSegmentSize, segment.mss);
    this.#scaling = segment.windowScale >= 0;
    if (this.#scaling) this.#peerScale = segment.windowScale;
  }

  /** The window of a received segment in bytes (RFC 7323 §2.2: never scaled on a SYN). */
  windowOf(segment: TcpSegment): number {
    return this.#scaling && !segment.has(tcpFlag.syn) ? segment.window << this.#peerScale : segment.window;
  }
}

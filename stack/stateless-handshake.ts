/** Handshakes of which a listener remembers nothing (RFC 4987 §3.6), MPTCP included: the SYN/ACK with a cookie, and what the third segment tells of the SYN. */

import { type ConnectionKey, deriveKey } from "./mptcp/keys.ts";
import type { FourTuple } from "./tcp/four-tuple.ts";
import type { HostTcp } from "./tcp/host-tcp.ts";
import { readOptionsOf, timestampWithOptions } from "./tcp/syn-cookies.ts";
import { capableFlag, mptcpPresent } from "./wire/mptcp-options.ts";
import { type SequenceNumber, sequenceNumber } from "./wire/sequence.ts";
import { tcpFlag, TcpSegment } from "./wire/tcp-segment.ts";

/** What the SYN/ACK says of this host. */
export interface StatelessHandshakeOptions {
  hostTcp: HostTcp;
  receiveBufferBytes: number;
  windowScale: number;
  dssChecksum: boolean;
  allowJoinInitialAddress: boolean;
  explicitCongestionNotification: boolean;
}

export interface RestoredHandshake {
  /** As far as it can be known again. */
  syn: TcpSegment;
  /** Our initial sequence number. */
  cookie: SequenceNumber;
  /** With MP_CAPABLE. */
  key: ConnectionKey | undefined;
}

const congestionFlags = tcpFlag.ece | tcpFlag.cwr;

export class StatelessHandshake {
  readonly #options: StatelessHandshakeOptions;

  constructor(options: StatelessHandshakeOptions) {
    this.#options = options;
  }

  /** The SYN/ACK for `syn`. `segmentSize`: what we take in a segment; `capable`: the SYN has a MP_CAPABLE that can be granted. */
  answer(syn: TcpSegment, segmentSize: number, capable: boolean, now: number): TcpSegment {
    const { hostTcp, receiveBufferBytes, windowScale, explicitCongestionNotification } = this.#options;
    const tuple = tupleOf(syn);
    const reply = new TcpSegment();
    reply.source = syn.destination;
    reply.destination = syn.source;
    reply.sourcePort = syn.destinationPort;
    reply.destinationPort = syn.sourcePort;
    reply.sequence = hostTcp.synCookies.issue(tuple, syn, now);
    reply.acknowledgement = sequenceNumber(syn.sequence + 1);
    reply.flags = tcpFlag.syn | tcpFlag.ack;
    reply.window = Math.min(0xffff, receiveBufferBytes);
    reply.mss = segmentSize;
    if (syn.hasTimestamps) {
      const congestion = explicitCongestionNotification && (syn.flags & congestionFlags) === congestionFlags;
      const clock = Math.floor(now / 1_000) + hostTcp.numbers.timestampOffset(tuple);
      reply.hasTimestamps = true;
      reply.timestampValue = timestampWithOptions(clock, syn, congestion);
      reply.timestampEcho = syn.timestampValue;
      reply.sackPermitted = syn.sackPermitted;
      if (syn.windowScale >= 0) reply.windowScale = windowScale;
      if (congestion) reply.flags |= tcpFlag.ece;
    }
    if (capable) this.#grant(syn, reply, tuple);
    return reply;
  }

  /** What `segment`, the third of a handshake, or data after it, proves to have been agreed on; undefined: nothing. */
  restore(segment: TcpSegment, now: number): RestoredHandshake | undefined {
    const { synCookies } = this.#options.hostTcp;
    const tuple = tupleOf(segment);
    const cookie = sequenceNumber(segment.acknowledgement - 1);
    const peerSequence = sequenceNumber(segment.sequence - 1);
    const segmentSize = synCookies.verify(tuple, peerSequence, cookie, now);
    if (segmentSize < 0) return undefined;
    const syn = new TcpSegment();
    syn.source = segment.source;
    syn.destination = segment.destination;
    syn.sourcePort = segment.sourcePort;
    syn.destinationPort = segment.destinationPort;
    syn.sequence = peerSequence;
    syn.flags = tcpFlag.syn;
    syn.window = segment.window;
    syn.mss = segmentSize;
    if (segment.hasTimestamps) {
      syn.hasTimestamps = true;
      syn.timestampValue = segment.timestampValue;
      readOptionsOf(segment.timestampEcho, syn);
    }
    const { mptcp } = segment;
    if (mptcp.present === 0) return { syn, cookie, key: undefined };
    const key = synCookies.connectionKey(tuple, cookie);
    const isCapable = mptcp.has(mptcpPresent.capable) && mptcp.capableKeys === 2;
    if (!isCapable || mptcp.receiverKeyHigh !== key.high || mptcp.receiverKeyLow !== key.low) return undefined;
    syn.mptcp.present = mptcpPresent.capable;
    syn.mptcp.capableFlags = mptcp.capableFlags;
    return { syn, cookie, key: deriveKey(key) };
  }

  #grant(syn: TcpSegment, reply: TcpSegment, tuple: FourTuple): void {
    const { hostTcp, dssChecksum, allowJoinInitialAddress } = this.#options;
    const { mptcp } = reply;
    const key = hostTcp.synCookies.connectionKey(tuple, reply.sequence);
    mptcp.present = mptcpPresent.capable;
    mptcp.capableVersion = 1;
    mptcp.capableKeys = 1;
    mptcp.capableFlags =
      capableFlag.hmacSha256 |
      (dssChecksum ? capableFlag.checksumRequired : syn.mptcp.capableFlags & capableFlag.checksumRequired) |
      (allowJoinInitialAddress ? 0 : capableFlag.noJoinToInitialAddress);
    mptcp.senderKeyHigh = key.high;
    mptcp.senderKeyLow = key.low;
  }
}

/** The connection that a received segment names. */
function tupleOf(segment: TcpSegment): FourTuple {
  return {
    localAddress: segment.destination,
    localPort: segment.destinationPort,
    remoteAddress: segment.source,
    remotePort: segment.sourcePort,
  };
}

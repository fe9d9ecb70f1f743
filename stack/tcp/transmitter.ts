/** The segments that a subflow sends: how large, how many, and what each says of the receive side. */

import type { IpAddress } from "../wire/ip-address.ts";
import { ecn } from "../wire/ipv4.ts";
import { type SequenceNumber, sequenceNumber, wrapOffset } from "../wire/sequence.ts";
import {
  maximumOptionsLength,
  sackBlocksThatFit,
  sackLength,
  tcpOptionsLength,
  timestampsLength,
  userTimeoutLength,
} from "../wire/tcp-emit.ts";
import { tcpFlag, TcpSegment } from "../wire/tcp-segment.ts";
import type { ExplicitCongestion } from "./explicit-congestion.ts";
import type { Handshake } from "./handshake.ts";
import { PathMtu } from "./path-mtu.ts";
import type { Receiver } from "./receiver.ts";
import type { Sender } from "./sender.ts";
import type { SentRange } from "./sent-queue.ts";
import { SegmentCounters } from "./segment-counters.ts";
import type { SegmentOutput, SegmentRoute, TcpUser } from "./tcp-user.ts";
import type { TimestampClock } from "./timestamp-clock.ts";
import type { UserTimeout } from "./user-timeout.ts";

const maximumSuperPacket = 65_400;
const maximumSuperPacketSegments = 44;

export interface Flow {
  readonly route: SegmentRoute;
  readonly localAddress: IpAddress;
  readonly localPort: number;
  readonly remoteAddress: IpAddress;
  readonly remotePort: number;
}

/** Segments are built here, one at a time, by whichever endpoint sends. */
const outgoing = new TcpSegment();

export class Transmitter {
  /** First offset beyond any window that was advertised. */
  advertisedEdge = 0;
  readonly pathMtu: PathMtu = new PathMtu();
  readonly counters: SegmentCounters = new SegmentCounters();
  readonly #flow: Flow;
  readonly #user: TcpUser;
  readonly #sender: Sender;
  readonly #receiver: Receiver;
  readonly #handshake: Handshake;
  readonly #timestamps: TimestampClock;
  readonly #congestion: ExplicitCongestion;
  readonly #userTimeout: UserTimeout;
  readonly #gso: boolean;

  constructor(
    flow: Flow,
    user: TcpUser,
    sender: Sender,
    receiver: Receiver,
    handshake: Handshake,
    timestamps: TimestampClock,
    congestion: ExplicitCongestion,
    userTimeout: UserTimeout,
    gso: boolean,
  ) {
    this.#flow = flow;
    this.#user = user;
    this.#sender = sender;
    this.#receiver = receiver;
    this.#handshake = handshake;
    this.#timestamps = timestamps;
    this.#congestion = congestion;
    this.#userTimeout = userTimeout;
    this.#gso = gso;
  }

  /** Payload and options of a segment. */
  get #room(): number {
    const handshake = this.#handshake;
    return Math.min(handshake.peerSegmentSize, handshake.ownSegmentSize, this.pathMtu.segmentSize);
  }

  /** Of these, those of every segment with data. */
  get #steadyOptionsLength(): number {
    return (this.#timestamps.enabled ? timestampsLength : 0) + this.#user.dataOptionsLength;
  }

  /** Payload bytes per segment while all that comes is in order: what the peer takes, less timestamps and the user's options (RFC 6691 §2). */
  get fullSegmentSize(): number {
    return this.#room - this.#steadyOptionsLength;
  }

  /** Payload bytes per segment of new data now: beside SACK blocks they are fewer. */
  get segmentSize(): number {
    return this.fullSegmentSize - this.#sackLength;
  }

  get #sackLength(): number {
    const { sackBlockCount } = this.#receiver;
    if (sackBlockCount === 0 || !this.#sender.sackPermitted) return 0;
    return sackLength(Math.min(sackBlockCount, sackBlocksThatFit(this.#steadyOptionsLength)));
  }

  /** Most payload of one transmit item. */
  get itemLimit(): number {
    const size = this.segmentSize;
    if (!this.#gso) return size;
    return size * Math.max(1, Math.min(maximumSuperPacketSegments, Math.floor(maximumSuperPacket / size)));
  }

  /** How far the advertised window lags behind what could be advertised. */
  windowLag(): number {
    return this.#receiver.next + this.#windowField * this.#handshake.windowUnit - this.advertisedEdge;
  }

  /** The window as it stands in a header, in units of the scale. */
  get #windowField(): number {
    return Math.min(0xffff, Math.floor(this.#user.receiveWindow() / this.#handshake.windowUnit));
  }

  /** Bytes of new data that windows allow now as one item; -1: none, until a segment or a timer opens a window. `pending`: bytes that the user has. */
  allowance(pending: number, limitedByWindow: boolean, now: number): number {
    const sender = this.#sender;
    sender.noteIdle(now);
    const size = this.segmentSize;
    let window = sender.windowEdge - sender.next;
    // The shared window of MPTCP may have been opened on another subflow: this one's own is then only out of date.
    if (!limitedByWindow && sender.outstanding === 0) window = Math.max(window, size);
    if (sender.probeDue) return Math.max(0, Math.min(size, pending, window));
    let space = Math.min(sender.congestionSpace, window);
    if (space >= size) {
      if (space < pending) space -= space % size; // Whole segments; the rest waits for the next acknowledgement.
    } else if (space < pending && sender.outstanding > 0) {
      return -1; // Silly window avoidance (RFC 9293 §3.8.6.2.1).
    }
    space = Math.min(space, pending);
    return space <= 0 ? 0 : Math.min(sender.pace(space, size, now), this.itemLimit);
  }

  sendLost(now: number, output: SegmentOutput): void {
    const sender = this.#sender;
    while (sender.hasLost) {
      const size = this.fullSegmentSize;
      const space = sender.congestionSpace;
      if (space < size && !sender.mustRetransmit) return;
      const limit = sender.mustRetransmit
        ? this.pathMtu.trialSize(size, sender.consecutiveTimeouts)
        : Math.max(size, Math.min(this.itemLimit, space - (space % size)));
      const range = sender.nextLost(limit);
      if (range === undefined) return;
      this.sendRange(range, now, output);
    }
  }

  /** New data; as a probe, if one is due (RFC 8985 §7.3 prefers them). */
  sendNew(range: SentRange, now: number, output: SegmentOutput): void {
    this.sendRange(range, now, output);
    if (this.#sender.probeDue) this.#sender.noteProbe(range, now);
  }

  /** Nothing new could be sent: the last segment again is the probe, and F-RTO is over. */
  sendWithoutNewData(now: number, output: SegmentOutput): void {
    const sender = this.#sender;
    if (sender.probeDue) {
      const range = sender.lastForProbe(this.fullSegmentSize);
      sender.probeDue = false;
      if (range !== undefined) {
        this.sendRange(range, now, output);
        sender.noteProbe(range, now);
      }
    }
    sender.endForwardRtoWithoutNewData(now);
    this.sendLost(now, output);
  }

  sendSyn(passive: boolean, now: number, output: SegmentOutput): void {
    const handshake = this.#handshake;
    handshake.synDue = false;
    const flags = passive ? tcpFlag.syn | tcpFlag.ack : tcpFlag.syn;
    const segment = this.#prepare(flags | this.#congestion.synFlags(passive, handshake.attempts), 0, now);
    segment.mss = handshake.ownSegmentSize;
    segment.windowScale = handshake.scaleToOffer(passive);
    segment.sackPermitted = passive ? this.#sender.sackPermitted : true;
    segment.window = this.noteSynSent();
    this.#user.addOptions(segment, undefined, handshake.attempts);
    const range = passive ? this.#grantCookie(segment) : this.#fastOpen(segment, now);
    if (handshake.attempts === 0 && range === undefined) this.#tellUserTimeout(segment);
    if (passive) this.#receiver.noteAckSent();
    handshake.noteSynSent(segment, now);
    if (range === undefined) this.counters.noteSent();
    else this.counters.noteDataSent(range.length, range.length, false, now);
    output.transmitSegment(segment, range, 0, this.#flow.route);
  }

  /** Where the other options leave room. */
  #tellUserTimeout(segment: TcpSegment): boolean {
    if (tcpOptionsLength(segment) + userTimeoutLength > maximumOptionsLength) return false;
    segment.userTimeoutSeconds = this.#userTimeout.secondsToTell;
    return true;
  }

  #tellUserTimeoutOnce(segment: TcpSegment): void {
    if (this.#tellUserTimeout(segment)) this.#userTimeout.due = false;
  }

  #grantCookie(segment: TcpSegment): undefined {
    // A repeated SYN/ACK has none: the path may drop it for that (RFC 7413 §4.2.2).
    segment.fastOpenCookie = this.#handshake.attempts === 0 ? this.#handshake.grantedCookie : undefined;
    if (tcpOptionsLength(segment) > maximumOptionsLength) segment.fastOpenCookie = undefined;
  }

  /** The first SYN of a fast open: with the cookie, and data; or asking for one. A repeated SYN has neither: the path may drop it for them (RFC 7413 §4.1.3.1). */
  #fastOpen(segment: TcpSegment, now: number): SentRange | undefined {
    const { attempts, fastOpen, ownSegmentSize } = this.#handshake;
    if (attempts > 0 || fastOpen === undefined) return undefined;
    segment.fastOpenCookie = fastOpen.cookie;
    const optionsLength = tcpOptionsLength(segment);
    if (optionsLength > maximumOptionsLength) segment.fastOpenCookie = undefined;
    if (optionsLength > maximumOptionsLength || fastOpen.cookie.length === 0) return undefined;
    const range = this.#user.takeSynData(Math.min(fastOpen.segmentSize, ownSegmentSize) - optionsLength);
    if (range !== undefined) this.#sender.noteTransmission(range, now);
    return range;
  }

  /** What a SYN, which is never scaled, tells of our window (RFC 7323 §2.2). */
  noteSynSent(): number {
    const window = Math.min(0xffff, this.#user.receiveWindow());
    this.advertisedEdge = this.#receiver.next + window;
    return window;
  }

  /** Data, or the FIN, for the first time or again. */
  sendRange(range: SentRange, now: number, output: SegmentOutput): void {
    this.#sender.noteTransmission(range, now);
    const isNew = range.transmissions === 1;
    // Ranges that go out again stay whole: they have SACK blocks beside them where there is room.
    const size = isNew ? this.segmentSize : this.fullSegmentSize;
    const flags = range.fin ? tcpFlag.fin | tcpFlag.ack : tcpFlag.ack | tcpFlag.psh;
    const segment = this.#prepare(flags, range.start, now);
    this.#congestion.mark(segment, isNew && !range.fin);
    this.#user.addOptions(segment, range, 0);
    if (this.#userTimeout.due && range.length + userTimeoutLength <= size) this.#tellUserTimeoutOnce(segment);
    this.#addAcknowledgement(segment, Math.min(range.length, size));
    if (range.fin) this.counters.noteSent();
    else this.counters.noteDataSent(range.length, size, !isNew, now);
    output.transmitSegment(segment, range.fin ? undefined : range, range.length > size ? size : 0, this.#flow.route);
  }

  /** A segment without data at `offset` of our stream. */
  sendControl(flags: number, offset: number, now: number, output: SegmentOutput): void {
    const segment = this.#prepare(flags, offset, now);
    if (flags === tcpFlag.ack) this.#congestion.mark(segment, false);
    this.#user.addOptions(segment, undefined, 0);
    // ADD_ADDR with an IPv6 address, a port and its HMAC leaves no room for timestamps.
    if (tcpOptionsLength(segment) > maximumOptionsLength) segment.hasTimestamps = false;
    if (this.#userTimeout.due && flags === tcpFlag.ack) this.#tellUserTimeoutOnce(segment);
    this.#addAcknowledgement(segment, 0);
    this.counters.noteSent();
    output.transmitSegment(segment, undefined, 0, this.#flow.route);
  }

  /** RST that takes the number of an unacceptable acknowledgement (RFC 9293 §3.10.7.3, §3.10.7.4). */
  sendStrayReset(sequence: SequenceNumber, now: number, output: SegmentOutput): void {
    const segment = this.#prepare(tcpFlag.rst, 0, now);
    segment.clearOptions();
    segment.sequence = sequence;
    segment.window = 0;
    this.counters.noteSent();
    output.transmitSegment(segment, undefined, 0, this.#flow.route);
  }

  #prepare(flags: number, offset: number, now: number): TcpSegment {
    const segment = outgoing;
    segment.source = this.#flow.localAddress;
    segment.destination = this.#flow.remoteAddress;
    segment.sourcePort = this.#flow.localPort;
    segment.destinationPort = this.#flow.remotePort;
    segment.sequence = wrapOffset(this.#sender.initialSequence, offset);
    segment.flags = flags;
    segment.acknowledgement =
      flags & tcpFlag.ack ? wrapOffset(this.#receiver.initialSequence, this.#receiver.next) : sequenceNumber(0);
    segment.clearOptions();
    segment.ecn = ecn.notCapable;
    const { marking } = this.#user;
    segment.differentiatedServices = marking.differentiatedServices;
    segment.hopLimit = marking.hopLimit;
    this.#timestamps.write(segment, now);
    return segment;
  }

  #addAcknowledgement(segment: TcpSegment, payloadLength: number): void {
    const receiver = this.#receiver;
    // Of the connection (RFC 8684 §3.3.5): what other subflows have brought counts against it too, so the subflow's own edge may move back.
    segment.window = this.#windowField;
    this.advertisedEdge = Math.max(this.advertisedEdge, receiver.next + segment.window * this.#handshake.windowUnit);
    if (receiver.sackBlockCount > 0 && this.#sender.sackPermitted) {
      receiver.writeSackBlocks(segment, sackBlocksThatFit(tcpOptionsLength(segment), this.#room - payloadLength));
    }
    this.#timestamps.noteAckSent(receiver.next);
    receiver.noteAckSent();
  }
}

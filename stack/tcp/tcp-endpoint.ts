/** One TCP connection, which is one subflow: state machine of RFC 9293 §3.10, with RFC 5961 and RFC 7323. The bytes themselves belong to its user. */

import type { CongestionControl } from "../congestion/congestion-control.ts";
import type { SubflowCloseReason } from "../events.ts";
import { type TcpUnreachable, unreachableCode } from "../wire/icmp.ts";
import type { IpAddress } from "../wire/ip-address.ts";
import { ipv4HeaderLength } from "../wire/ipv4.ts";
import { sequenceNumber, unwrapSequence, wrapOffset } from "../wire/sequence.ts";
import { tcpFlag, tcpHeaderLength, type TcpSegment } from "../wire/tcp-segment.ts";
import { ChallengeAckLimit } from "./challenge-ack.ts";
import { ExplicitCongestion } from "./explicit-congestion.ts";
import { Handshake } from "./handshake.ts";
import type { InitialNumbers } from "./initial-numbers.ts";
import { Liveness } from "./liveness.ts";
import { PeerWindow } from "./peer-window.ts";
import { Receiver } from "./receiver.ts";
import { Sender, type SenderObserver } from "./sender.ts";
import type { SentRange } from "./sent-queue.ts";
import type { TcpOptions } from "./tcp-options.ts";
import type { TcpState } from "./tcp-state.ts";
import type { SegmentOutput, SegmentRoute, TcpUser } from "./tcp-user.ts";
import { timer, TimerTable } from "./timers.ts";
import { TimestampClock } from "./timestamp-clock.ts";
import { type Flow, Transmitter } from "./transmitter.ts";

const timeWaitMicroseconds = 60_000_000;
const finWait2Microseconds = 60_000_000;

export interface TcpEndpointOptions extends Flow {
  user: TcpUser;
  congestion: CongestionControl;
  numbers: InitialNumbers;
  /** MTU minus IP and TCP headers. */
  maximumSegmentSize: number;
  gso: boolean;
  tcp: TcpOptions;
  /** Window scale to offer; 0 … 14. */
  windowScale: number;
}

export class TcpEndpoint {
  readonly localAddress: IpAddress;
  readonly localPort: number;
  readonly remoteAddress: IpAddress;
  readonly remotePort: number;
  readonly route: SegmentRoute;
  readonly sender: Sender;
  readonly receiver: Receiver;

  #state: TcpState = "closed";
  readonly #user: TcpUser;
  readonly #numbers: InitialNumbers;
  readonly #timers = new TimerTable();
  readonly #timestamps: TimestampClock;
  readonly #challengeAcks = new ChallengeAckLimit();
  readonly #handshake: Handshake;
  readonly #transmitter: Transmitter;
  #finRequested = false;
  #finOffset = Number.POSITIVE_INFINITY;
  #resetToSend = false;
  #probeToSend = false;
  readonly #liveness: Liveness;
  readonly #congestion: ExplicitCongestion;
  /** An unacceptable acknowledgement of the handshake, to be answered with RST; -1: none. */
  #strayAcknowledgement = -1;
  readonly #peerWindow = new PeerWindow();

  constructor(options: TcpEndpointOptions) {
    this.#user = options.user;
    this.#numbers = options.numbers;
    this.route = options.route;
    this.localAddress = options.localAddress;
    this.localPort = options.localPort;
    this.remoteAddress = options.remoteAddress;
    this.remotePort = options.remotePort;
    this.#handshake = new Handshake(options.maximumSegmentSize, options.windowScale);
    this.#congestion = new ExplicitCongestion(options.tcp.explicitCongestionNotification ?? false);
    this.#liveness = new Liveness(options.tcp, this.#timers);
    this.#timestamps = new TimestampClock(options.numbers.timestampOffset(options));
    const user = options.user;
    const observer: SenderObserver = {
      onRangeAcknowledged: (range, end) => {
        if (!range.fin) user.handleAcknowledged(range, end);
        if (range.length >= this.sender.maximumSegmentSize) this.#transmitter.pathMtu.onFullSegment();
      },
      onRttSample: (rtt, now) => user.handleRttSample(rtt, now),
      onFastRetransmit: (lostBytes, now) => user.handleFastRetransmit(lostBytes, now),
      onRetransmissionTimeout: (timeout, now) => user.handleRetransmissionTimeout(timeout, now),
      onSpuriousRecovery: (now) => user.handleSpuriousRecovery(now),
    };
    this.sender = new Sender(options.congestion, this.#timers, this.#timestamps, observer);
    this.receiver = new Receiver(this.#timers, (offset, bytes, byteOffset, length, now) =>
      user.handlePayload(offset, bytes, byteOffset, length, now),
    );
    this.#transmitter = new Transmitter(
      options,
      user,
      this.sender,
      this.receiver,
      this.#handshake,
      this.#timestamps,
      this.#congestion,
      options.gso,
    );
  }

  get state(): TcpState {
    return this.#state;
  }

  get closed(): boolean {
    return this.#state === "closed";
  }

  /** Data may be sent (RFC 9293 §3.9.1.2). */
  get canSendData(): boolean {
    return (this.#state === "established" || this.#state === "close-wait") && !this.#finRequested;
  }

  get synchronized(): boolean {
    return this.#state !== "closed" && this.#state !== "syn-sent" && this.#state !== "syn-received";
  }

  /** Whether a SYN may open a new connection in the place of this one in TIME-WAIT (RFC 6191 §2; RFC 9293 §3.6.1, MAY-2). */
  mayBeReplacedBy(segment: TcpSegment, now: number): boolean {
    if (this.#state !== "time-wait" || (segment.flags & (tcpFlag.syn | tcpFlag.ack)) !== tcpFlag.syn) return false;
    const { initialSequence, next } = this.receiver;
    const isBeyond = unwrapSequence(segment.sequence, initialSequence, next) >= next;
    if (!this.#timestamps.enabled || !segment.hasTimestamps) return isBeyond;
    return this.#timestamps.isNewer(segment, now, false) || (this.#timestamps.isNewer(segment, now, true) && isBeyond);
  }

  get handshakeStartedAt(): number {
    return this.#handshake.startedAt;
  }

  /** SYNs sent so far. */
  get synAttempts(): number {
    return this.#handshake.attempts;
  }

  /** The window of a received segment in bytes. */
  scaledWindow(segment: TcpSegment): number {
    return this.#handshake.windowOf(segment);
  }

  acknowledgesMoreThanSyn(segment: TcpSegment): boolean {
    return unwrapSequence(segment.acknowledgement, this.sender.initialSequence, this.sender.unacknowledged) > 1;
  }

  /** Payload bytes per segment now. */
  get segmentSize(): number {
    return this.#transmitter.segmentSize;
  }

  get nextTimeout(): number {
    return this.#timers.next;
  }

  connect(now: number): void {
    this.#state = "syn-sent";
    this.#timestamps.offer();
    this.#beginHandshake(now);
  }

  /** A SYN for this new endpoint; false when the user refuses it. */
  acceptSyn(segment: TcpSegment, now: number): boolean {
    this.#takeSyn(segment, now);
    if (!this.#user.handleSynOptions(segment, now)) return false;
    this.#state = "syn-received";
    this.#beginHandshake(now);
    return true;
  }

  /** No more data will be given: FIN after what has been sent. */
  close(now: number): void {
    if (this.#finRequested || this.#state === "closed") return;
    if (this.#state === "syn-sent") {
      this.#finish("finished", now);
      return;
    }
    this.#finRequested = true;
  }

  /** RST, and gone. Options are added by the user. */
  abort(reason: SubflowCloseReason, now: number): void {
    if (this.#state === "closed") return;
    if (this.#state !== "syn-sent" && this.#state !== "time-wait") this.#resetToSend = true;
    this.#finish(reason, now);
  }

  /** Gone without a word: the interface is down. */
  discard(reason: SubflowCloseReason, now: number): void {
    if (this.#state !== "closed") this.#finish(reason, now);
  }

  /** The user wants an acknowledgement (with its options) to go out. */
  requestAck(): void {
    this.receiver.ackNeeded = true;
  }

  /** The user wants to know the peer's window: a segment that the peer must answer (RFC 9293 §3.8.6.1). */
  requestProbe(): void {
    this.#probeToSend = true;
  }

  /** How far the advertised window lags behind what could be advertised. */
  windowLag(): number {
    return this.#transmitter.windowLag();
  }

  /** Bytes of new data that may be sent now as one item: 0 when windows or state forbid it. `pending`: bytes that the user has. */
  sendAllowance(pending: number, limitedByWindow: boolean, now: number): number {
    if (!this.canSendData || this.sender.hasLost) return 0;
    return this.#transmitter.allowance(pending, limitedByWindow, now);
  }

  /** Sends a range that the user has appended to `sender` and filled in. */
  transmitNew(range: SentRange, now: number, output: SegmentOutput): void {
    this.#transmitter.sendNew(range, now, output);
  }

  handleTimeout(now: number): void {
    if (this.#timers.expire(timer.delayedAck, now)) this.receiver.ackNeeded = true;
    if (this.#timers.expire(timer.reordering, now)) this.sender.handleReorderingTimeout(now);
    if (this.#timers.expire(timer.lossProbe, now)) {
      this.sender.handleProbeTimeout(now);
      this.#user.handleTailLossProbe(now);
    }
    if (this.#timers.expire(timer.retransmission, now)) this.#retransmissionTimeout(now);
    if (this.#timers.expire(timer.keepAlive, now)) this.#keepAliveTimeout(now);
    if (this.#timers.expire(timer.linger, now)) this.#finish("finished", now);
  }

  /** Sends what the protocol itself owes: SYN, RST, retransmissions, FIN, probes, and (last, if nothing carried it) the acknowledgement. */
  transmit(now: number, output: SegmentOutput): void {
    if (this.#resetToSend) {
      this.#resetToSend = false;
      this.#transmitter.sendControl(tcpFlag.rst | tcpFlag.ack, this.sender.next, now, output);
    }
    if (this.#strayAcknowledgement >= 0) {
      this.#transmitter.sendStrayReset(sequenceNumber(this.#strayAcknowledgement), now, output);
      this.#strayAcknowledgement = -1;
    }
    if (this.#state === "closed") return;
    if (this.#handshake.synDue) this.#transmitter.sendSyn(this.#state === "syn-received", now, output);
    if (!this.synchronized) return;
    this.#transmitter.sendLost(now, output);
    if (this.#finRequested && this.#finOffset === Number.POSITIVE_INFINITY) this.#transmitFin(now, output);
    if (this.#probeToSend) {
      this.#probeToSend = false;
      this.#transmitter.sendControl(tcpFlag.ack, this.sender.unacknowledged - 1, now, output);
    }
  }

  /** After new data had their turn: what goes out in their stead, and the acknowledgement that nothing carried. */
  transmitAck(now: number, output: SegmentOutput): void {
    if (this.synchronized) this.#transmitter.sendWithoutNewData(now, output);
    if (this.receiver.ackNeeded && this.#state !== "closed" && this.#state !== "syn-sent" && !this.#handshake.synDue) {
      this.#transmitter.sendControl(tcpFlag.ack, this.sender.next, now, output);
    }
  }

  handleSegment(segment: TcpSegment, now: number): void {
    switch (this.#state) {
      case "closed":
        return;
      case "syn-sent":
        return this.#handleInSynSent(segment, now);
      default:
        return this.#handleSynchronized(segment, now);
    }
  }

  /** ICMP "destination unreachable" about a segment of ours. Nobody is believed who has not seen one that is under way (RFC 5927 §4.1). */
  handleUnreachable(error: TcpUnreachable, now: number): void {
    const { sender } = this;
    const offset = unwrapSequence(error.sequence, sender.initialSequence, sender.unacknowledged);
    if (this.closed || offset < sender.unacknowledged || offset >= sender.next) return;
    if (error.code === unreachableCode.fragmentationNeeded) {
      const fixedHeaders = ipv4HeaderLength + tcpHeaderLength;
      const present = Math.min(this.#handshake.ownSegmentSize, this.#transmitter.pathMtu.segmentSize);
      if (this.synchronized && this.#transmitter.pathMtu.onFragmentationNeeded(error.mtu - fixedHeaders, present))
        sender.reduceSegmentSize(this.segmentSize);
      return;
    }
    // A hard error ends an attempt to connect; what is established has proved that the peer is there (RFC 5927 §6; RFC 9293 §3.9.2.2).
    const isHard = error.code === unreachableCode.port || error.code === unreachableCode.protocol;
    if (isHard && this.#state === "syn-sent") this.#finish("refused", now);
  }

  /** RFC 9293 §3.10.7.3. */
  #handleInSynSent(segment: TcpSegment, now: number): void {
    const acknowledges =
      segment.has(tcpFlag.ack) && segment.acknowledgement === wrapOffset(this.sender.initialSequence, 1);
    if (segment.has(tcpFlag.rst)) {
      if (acknowledges) this.#finish("refused", now);
      return;
    }
    if (segment.has(tcpFlag.ack) && !acknowledges) {
      this.#strayAcknowledgement = segment.acknowledgement;
      return;
    }
    if (!segment.has(tcpFlag.syn)) return;
    this.#takeSyn(segment, now);
    if (!acknowledges) {
      this.#openSimultaneously(segment, now);
      return;
    }
    this.sender.unacknowledged = 1;
    this.sender.windowEdge = 1 + segment.window;
    if (this.#handshake.attempts === 1) this.sender.rtt.sample(now - this.#handshake.startedAt);
    if (!this.#user.handleSynOptions(segment, now)) {
      this.#resetToSend = true;
      this.#finish("protocol-error", now);
      return;
    }
    this.#establish(now);
    this.receiver.ackNeeded = true;
  }

  /** The peer's SYN has crossed ours (RFC 9293 §3.5, figure 7): both answer with SYN/ACK. */
  #openSimultaneously(segment: TcpSegment, now: number): void {
    if (!this.#user.handleSynOptions(segment, now)) {
      this.#resetToSend = true;
      this.#finish("protocol-error", now);
      return;
    }
    this.#state = "syn-received";
    this.#handshake.synDue = true;
    this.#timers.set(timer.retransmission, now + this.sender.timeout);
  }

  /** RFC 9293 §3.10.7.4. */
  #handleSynchronized(segment: TcpSegment, now: number): void {
    const receiver = this.receiver;
    const start = unwrapSequence(segment.sequence, receiver.initialSequence, receiver.next);
    const isReset = segment.has(tcpFlag.rst);
    const timestamps = isReset ? "acceptable" : this.#timestamps.judge(segment, start, receiver.next, now);
    if (timestamps !== "acceptable") {
      if (timestamps === "old") this.#challenge(now);
      return;
    }
    const edge = Math.max(this.#transmitter.advertisedEdge, receiver.next);
    const end = start + segment.sequenceLength;
    const acceptable = start <= edge && (end >= receiver.next || start >= receiver.next);
    if (isReset) {
      if (start === receiver.next) this.#handleReset(segment, now);
      else if (acceptable) this.#challenge(now);
      return;
    }
    if (segment.has(tcpFlag.syn)) {
      // RFC 5961 §4.2; in SYN-RECEIVED it is the peer's retransmission, which the SYN/ACK answers, or the SYN/ACK of one who opened at the same time.
      if (this.#state === "syn-received" && start === 0) {
        if (!segment.has(tcpFlag.ack)) this.#handshake.synDue = true;
        else if (this.#handleAcknowledgement(segment, start, now)) receiver.ackNeeded = true;
      } else if (start === 0 && segment.has(tcpFlag.ack)) receiver.ackNeeded = true;
      else this.#challenge(now);
      return;
    }
    if (!acceptable) {
      this.#challenge(now);
      return;
    }
    if (!segment.has(tcpFlag.ack)) return;
    this.#liveness.noteHeard(now);
    if (this.#congestion.receive(segment)) receiver.ackNeeded = true;
    if (!this.#handleAcknowledgement(segment, start, now)) return;
    this.#handleText(segment, start, edge, now);
  }

  #handleAcknowledgement(segment: TcpSegment, start: number, now: number): boolean {
    const sender = this.sender;
    const acknowledged = unwrapSequence(segment.acknowledgement, sender.initialSequence, sender.unacknowledged);
    if (this.#state === "syn-received") {
      if (acknowledged < 1 || acknowledged > sender.next) {
        this.#strayAcknowledgement = segment.acknowledgement;
        return false;
      }
      if (!this.#user.handleOptions(segment, now) || this.closed) return false;
      sender.unacknowledged = Math.max(1, sender.unacknowledged);
      if (this.#handshake.attempts === 1) sender.rtt.sample(now - this.#handshake.startedAt);
      this.#updateWindow(segment, start, acknowledged);
      this.#timers.stop(timer.retransmission);
      this.#establish(now);
    } else {
      if (acknowledged > sender.next || acknowledged < sender.unacknowledged - this.#peerWindow.largest) {
        this.#challenge(now); // RFC 5961 §5.2.
        return false;
      }
      if (!this.#user.handleOptions(segment, now) || this.closed) return false;
    }
    if (acknowledged < sender.unacknowledged) return true; // Old, but its payload may be new.
    const windowBefore = this.#peerWindow.latestField;
    this.#updateWindow(segment, start, acknowledged);
    const isDuplicate =
      acknowledged === sender.unacknowledged &&
      sender.outstanding > 0 &&
      segment.payloadLength === 0 &&
      segment.window === windowBefore && // RFC 5681 §2 (e).
      !segment.has(tcpFlag.fin);
    const progress = acknowledged > sender.unacknowledged;
    const timeouts = sender.consecutiveTimeouts;
    if (this.#congestion.reactsTo(segment, acknowledged, sender.next)) sender.handleCongestionMark();
    sender.handleAcknowledgement(segment, acknowledged, isDuplicate, now);
    if (progress) {
      this.#liveness.noteProgress();
      if (timeouts > 0 && this.#transmitter.pathMtu.onAnswer(sender.maximumSegmentSize, timeouts))
        sender.reduceSegmentSize(this.segmentSize);
      this.#user.handleProgress(now);
    }
    if (acknowledged > this.#finOffset) this.#handleFinAcknowledged(now);
    return !this.closed && start >= 0;
  }

  /** The window may shrink (RFC 9293 §3.8.6, MUST-34), unless others fill it too: then the edge only seems to move back. */
  #updateWindow(segment: TcpSegment, start: number, acknowledged: number): void {
    const edge = this.#peerWindow.update(start, acknowledged, this.scaledWindow(segment), segment.window);
    if (edge > this.sender.windowEdge || (edge >= 0 && !this.#user.windowIsShared)) this.sender.windowEdge = edge;
  }

  #handleText(segment: TcpSegment, start: number, edge: number, now: number): void {
    const receiver = this.receiver;
    const receives = this.#state === "established" || this.#state === "fin-wait-1" || this.#state === "fin-wait-2";
    if (!receives) {
      if (segment.sequenceLength > 0) receiver.ackNeeded = true;
      if (this.#state === "time-wait") this.#timers.set(timer.linger, now + timeWaitMicroseconds);
      return;
    }
    if (start < receiver.next && segment.sequenceLength === 0) receiver.ackNeeded = true; // A keep-alive or window probe.
    receiver.receive(segment, start, edge, now);
    if (segment.has(tcpFlag.fin)) receiver.finOffset = Math.min(receiver.finOffset, start + segment.payloadLength);
    if (receiver.next === receiver.finOffset && !this.closed) this.#handleFin(now);
  }

  #handleFin(now: number): void {
    this.receiver.next++;
    this.receiver.ackNeeded = true;
    if (this.#state === "established") this.#state = "close-wait";
    else if (this.#state === "fin-wait-1") this.#state = "closing";
    else if (this.#state === "fin-wait-2") this.#enterTimeWait(now);
    this.#user.handleFin(now);
  }

  #handleFinAcknowledged(now: number): void {
    if (this.#state === "fin-wait-1") {
      this.#state = "fin-wait-2";
      // A half-closed connection may stay so for ever; one that the application has left may not.
      if (this.#user.ended) this.#timers.set(timer.linger, now + finWait2Microseconds);
    } else if (this.#state === "closing") this.#enterTimeWait(now);
    else if (this.#state === "last-ack") this.#finish("finished", now);
  }

  #handleReset(segment: TcpSegment, now: number): void {
    this.#user.handleOptions(segment, now);
    if (!this.closed) this.#finish(this.#state === "time-wait" ? "finished" : "reset-by-peer", now);
  }

  #enterTimeWait(now: number): void {
    this.#state = "time-wait";
    this.#timers.stopAll();
    this.#timers.set(timer.linger, now + timeWaitMicroseconds);
  }

  /** RFC 5961 §7: challenge acknowledgements are bounded in rate. */
  #challenge(now: number): void {
    if (this.#challengeAcks.allow(now)) this.receiver.ackNeeded = true;
  }

  #takeSyn(segment: TcpSegment, now: number): void {
    const receiver = this.receiver;
    receiver.initialSequence = sequenceNumber(segment.sequence);
    receiver.next = 1;
    this.#handshake.takeSyn(segment);
    this.#congestion.takeSyn(segment);
    this.sender.sackPermitted = segment.sackPermitted;
    this.#timestamps.negotiate(segment, now);
    this.sender.windowEdge = 1 + segment.window;
    this.#peerWindow.largest = segment.window;
  }

  #beginHandshake(now: number): void {
    this.sender.initialSequence = this.#numbers.sequence(this, now);
    this.#handshake.begin(now);
    this.sender.next = 1;
    this.#timers.set(timer.retransmission, now + this.sender.rtt.timeout);
  }

  #establish(now: number): void {
    this.#timers.stop(timer.retransmission);
    this.sender.rtt.resetBackoff();
    this.#state = "established";
    this.#liveness.begin(now);
    this.sender.maximumSegmentSize = this.segmentSize;
    this.sender.congestion.setMaximumSegmentSize(this.segmentSize);
    this.#user.handleEstablished(now);
  }

  #retransmissionTimeout(now: number): void {
    if (!this.synchronized) {
      if (this.#handshake.exhausted) this.#finish("timeout", now);
      else {
        this.sender.rtt.backOff();
        this.#timers.set(timer.retransmission, now + this.sender.timeout);
        this.#handshake.synDue = true;
      }
      return;
    }
    if (this.#liveness.isOverdue(now)) {
      this.#finish("timeout", now);
      return;
    }
    if (this.sender.outstanding > 0) this.sender.handleRetransmissionTimeout(now);
  }

  #keepAliveTimeout(now: number): void {
    const verdict = this.#liveness.onKeepAliveTimeout(this.sender.outstanding > 0, now);
    if (verdict === "probe") this.#probeToSend = true;
    else if (verdict === "give-up") this.#finish("timeout", now);
  }

  #finish(reason: SubflowCloseReason, now: number): void {
    this.#state = "closed";
    this.#timers.stopAll();
    this.#user.handleClosed(reason, now);
    this.sender.release();
    this.receiver.release();
  }

  #transmitFin(now: number, output: SegmentOutput): void {
    const range = this.sender.append(1);
    range.fin = true;
    this.#finOffset = range.start;
    if (this.#state === "established" || this.#state === "syn-received") this.#state = "fin-wait-1";
    else if (this.#state === "close-wait") this.#state = "last-ack";
    this.#transmitter.sendRange(range, now, output);
  }
}

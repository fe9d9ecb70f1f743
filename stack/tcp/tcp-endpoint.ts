/** One TCP connection, which is one subflow: what its user may ask of it, its timers, and the order in which it sends (RFC 9293). The bytes themselves belong to the user. */

import type { CongestionControl } from "../congestion/congestion-control.ts";
import type { SubflowCloseReason } from "../events.ts";
import type { IcmpError } from "../wire/icmp-error.ts";
import type { IpAddress } from "../wire/ip-address.ts";
import { sequenceNumber, unwrapSequence } from "../wire/sequence.ts";
import { tcpFlag, type TcpSegment } from "../wire/tcp-segment.ts";
import type { AgendaEntry } from "./agenda.ts";
import { Closing } from "./closing.ts";
import type { HostTcp } from "./host-tcp.ts";
import { type AcceptOptions, Opening } from "./opening.ts";
import type { Receiver } from "./receiver.ts";
import { SegmentArrival } from "./segment-arrival.ts";
import type { Sender } from "./sender.ts";
import type { SentRange } from "./sent-queue.ts";
import { TransmissionControlBlock } from "./tcb.ts";
import type { KeepAliveOptions, TcpOptions } from "./tcp-options.ts";
import { type TcpInfo, tcpInfo } from "./tcp-info.ts";
import type { TcpJournal } from "./tcp-journal.ts";
import type { TcpState } from "./tcp-state.ts";
import type { SegmentOutput, SegmentRoute, TcpUser } from "./tcp-user.ts";
import { timer, type TimerTable } from "./timers.ts";
import type { Flow } from "./transmitter.ts";

export interface TcpEndpointOptions extends Flow {
  user: TcpUser;
  agenda: AgendaEntry;
  journal: TcpJournal;
  congestion: CongestionControl;
  host: HostTcp;
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

  /** For so much new data, or more, its windows have no room, until something happens to it; Infinity: that is not known. */
  fullFor: number = Number.POSITIVE_INFINITY;

  readonly #tcb: TransmissionControlBlock;
  readonly #timers: TimerTable;
  readonly #agenda: AgendaEntry;
  readonly #opening: Opening;
  readonly #arrival: SegmentArrival;
  readonly #closing: Closing;
  #probeToSend = false;

  constructor(options: TcpEndpointOptions) {
    this.route = options.route;
    this.localAddress = options.localAddress;
    this.localPort = options.localPort;
    this.remoteAddress = options.remoteAddress;
    this.remotePort = options.remotePort;
    const tcb = new TransmissionControlBlock(options);
    this.#tcb = tcb;
    this.#agenda = options.agenda;
    this.#timers = tcb.timers;
    this.sender = tcb.sender;
    this.receiver = tcb.receiver;
    this.#opening = new Opening(tcb);
    this.#closing = new Closing(tcb);
    this.#arrival = new SegmentArrival(tcb, this.#opening, this.#closing);
  }

  /** Something has happened to it since it had nothing to send. */
  get stirred(): boolean {
    return this.#agenda.stirred;
  }

  set stirred(stirred: boolean) {
    this.#agenda.stirred = stirred;
  }

  get state(): TcpState {
    return this.#tcb.state;
  }

  /** As Linux's TCP_INFO. */
  info(now: number): TcpInfo {
    return tcpInfo(this.#tcb, now);
  }

  get closed(): boolean {
    return this.#tcb.closed;
  }

  get canSendData(): boolean {
    return this.#tcb.canSendData;
  }

  get synchronized(): boolean {
    return this.#tcb.synchronized;
  }

  /** Whether a SYN may open a new connection in the place of this one in TIME-WAIT (RFC 6191 §2; RFC 9293 §3.6.1, MAY-2). */
  mayBeReplacedBy(segment: TcpSegment, now: number): boolean {
    if (this.state !== "time-wait" || (segment.flags & (tcpFlag.syn | tcpFlag.ack)) !== tcpFlag.syn) return false;
    const { initialSequence, next } = this.receiver;
    const { timestamps } = this.#tcb;
    const isBeyond = unwrapSequence(segment.sequence, initialSequence, next) >= next;
    if (!timestamps.enabled || !segment.hasTimestamps) return isBeyond;
    return timestamps.isNewer(segment, now, false) || (timestamps.isNewer(segment, now, true) && isBeyond);
  }

  /** When an acceptable segment last came; 0: none has. */
  get heardAt(): number {
    return this.#tcb.liveness.heardAt;
  }

  get handshakeStartedAt(): number {
    return this.#tcb.handshake.startedAt;
  }

  /** SYNs sent so far. */
  get synAttempts(): number {
    return this.#tcb.handshake.attempts;
  }

  /** The window of a received segment in bytes. */
  scaledWindow(segment: TcpSegment): number {
    return this.#tcb.handshake.windowOf(segment);
  }

  acknowledgesMoreThanSyn(segment: TcpSegment): boolean {
    return unwrapSequence(segment.acknowledgement, this.sender.initialSequence, this.sender.unacknowledged) > 1;
  }

  /** How long data may stay unacknowledged (RFC 5482 §3.1). */
  get userTimeoutMicroseconds(): number {
    return this.#tcb.liveness.userTimeout.microseconds;
  }

  /** Payload bytes per segment now. */
  get segmentSize(): number {
    return this.#tcb.transmitter.segmentSize;
  }

  /** TSval of what is sent at `now` (RFC 7323 §3); -1: without timestamps. */
  timestampAt(now: number): number {
    return this.#tcb.timestamps.valueAt(now);
  }

  /** As far as either direction tells: of our segments and their acknowledgements, or of our acknowledgements and the data after them. 0: not known. */
  get roundTripMicroseconds(): number {
    return Math.max(this.sender.rtt.smoothed, this.#tcb.timestamps.receiverRoundTrip);
  }

  get nextTimeout(): number {
    return this.#timers.next;
  }

  /** `fastOpen`: with data on the SYN, if the user has some and the peer's cookie is known, else to ask for one (RFC 7413). */
  connect(now: number, fastOpen: boolean): void {
    this.stirred = true;
    this.#opening.connect(now, fastOpen);
  }

  /** A SYN for this new endpoint; false when the user refuses it. */
  acceptSyn(segment: TcpSegment, now: number, options: AcceptOptions = {}): boolean {
    this.#countReceived(segment, now);
    this.stirred = true;
    return this.#opening.acceptSyn(segment, now, options);
  }

  /** No more data will be given: FIN after what has been sent. */
  close(now: number): void {
    this.stirred = true;
    this.#closing.request(now);
  }

  /** RST, and gone. Options are added by the user. */
  abort(reason: SubflowCloseReason, now: number): void {
    this.stirred = true;
    if (this.closed) return;
    if (this.state !== "syn-sent" && this.state !== "time-wait") this.#tcb.resetToSend = true;
    this.#tcb.finish(reason, now);
  }

  /** Gone without a word: the interface is down. */
  discard(reason: SubflowCloseReason, now: number): void {
    this.stirred = true;
    if (!this.closed) this.#tcb.finish(reason, now);
  }

  /** The user wants an acknowledgement (with its options) to go out. */
  requestAck(): void {
    this.stirred = true;
    this.receiver.ackNeeded = true;
  }

  /** The user wants to know the peer's window: a segment that the peer must answer (RFC 9293 §3.8.6.1). */
  requestProbe(): void {
    this.stirred = true;
    this.#probeToSend = true;
  }

  /** undefined: the peer's silence is not asked about (RFC 9293 §3.8.4). */
  setKeepAlive(keepAlive: KeepAliveOptions | undefined, now: number): void {
    this.stirred = true;
    this.#tcb.liveness.setKeepAlive(keepAlive, this.synchronized, now);
  }

  /** The peer is told, where the option is enabled (RFC 5482 §3.2). */
  setUserTimeout(microseconds: number): void {
    this.stirred = true;
    const { userTimeout } = this.#tcb.liveness;
    userTimeout.set(microseconds);
    if (userTimeout.due && this.synchronized) this.requestAck();
  }

  /** `segmentSize` has changed without a segment of this endpoint. */
  noteSegmentSize(): void {
    this.fullFor = Number.POSITIVE_INFINITY;
  }

  /** How far the advertised window lags behind what could be advertised. */
  windowLag(): number {
    return this.#tcb.transmitter.windowLag();
  }

  /** Bytes of new data that may be sent now as one item: 0 when windows or state forbid it. `pending`: bytes that the user has. */
  sendAllowance(pending: number, limitedByWindow: boolean, now: number): number {
    const { sender } = this;
    sender.pacer.heldBytes = 0;
    if (!this.canSendData || sender.hasLost) return 0;
    const allowance = this.#tcb.transmitter.allowance(pending, limitedByWindow, now);
    if (allowance >= 0) return allowance;
    this.fullFor = pending;
    return 0;
  }

  /** Sends a range that the user has appended to `sender` and filled in. */
  transmitNew(range: SentRange, now: number, output: SegmentOutput): void {
    this.stirred = true;
    this.#tcb.transmitter.sendNew(range, now, output);
  }

  handleTimeout(now: number): void {
    this.stirred = true;
    this.fullFor = Number.POSITIVE_INFINITY;
    const { timers } = this.#tcb;
    // What the pacer has held back goes out with the transmission that follows each timeout.
    this.sender.pacer.expire(now);
    if (timers.expire(timer.delayedAck, now)) this.receiver.ackNeeded = true;
    if (timers.expire(timer.reordering, now)) this.sender.handleReorderingTimeout(now);
    if (timers.expire(timer.lossProbe, now)) this.sender.handleProbeTimeout(now);
    if (timers.expire(timer.retransmission, now)) this.#retransmissionTimeout(now);
    if (timers.expire(timer.keepAlive, now)) this.#keepAliveTimeout(now);
    if (timers.expire(timer.linger, now)) this.#tcb.finish("finished", now);
  }

  /** Sends what the protocol itself owes: SYN, RST, retransmissions, FIN, probes, and (last, if nothing carried it) the acknowledgement. */
  transmit(now: number, output: SegmentOutput): void {
    const { handshake, transmitter } = this.#tcb;
    this.#transmitResets(now, output);
    if (this.closed) return;
    if (handshake.synDue) transmitter.sendSyn(this.state === "syn-received", now, output);
    if (!this.synchronized) return;
    transmitter.sendLost(now, output);
    this.#closing.transmit(now, output);
    if (this.#probeToSend) {
      this.#probeToSend = false;
      transmitter.sendControl(tcpFlag.ack, this.sender.unacknowledged - 1, now, output);
    }
  }

  /** After new data had their turn: what goes out in their stead, and the acknowledgement that nothing carried. */
  transmitAck(now: number, output: SegmentOutput): void {
    const { handshake, transmitter, state } = this.#tcb;
    if (this.synchronized) transmitter.sendWithoutNewData(now, output);
    if (this.receiver.ackNeeded && state !== "closed" && state !== "syn-sent" && !handshake.synDue) {
      transmitter.sendControl(tcpFlag.ack, this.sender.next, now, output);
    }
    const { hasLost, inRecovery, probeDue } = this.sender;
    this.stirred = !this.synchronized || this.receiver.ackNeeded || hasLost || inRecovery || probeDue;
  }

  handleSegment(segment: TcpSegment, now: number): void {
    this.stirred = true;
    this.#countReceived(segment, now);
    if (this.state === "syn-sent") this.#opening.handleInSynSent(segment, now);
    else if (!this.closed) this.#arrival.handle(segment, now);
  }

  #countReceived(segment: TcpSegment, now: number): void {
    const { transmitter, handshake } = this.#tcb;
    this.fullFor = Number.POSITIVE_INFINITY;
    transmitter.counters.noteReceived(segment, handshake.ownSegmentSize, now);
  }

  /** ICMP about a segment of ours. Nobody is believed who has not seen one that is under way (RFC 5927 §4.1). */
  handleIcmpError(error: IcmpError, now: number): void {
    this.stirred = true;
    const { sender } = this;
    const { handshake, transmitter } = this.#tcb;
    this.fullFor = Number.POSITIVE_INFINITY;
    const offset = unwrapSequence(error.sequence, sender.initialSequence, sender.unacknowledged);
    if (this.closed || offset < sender.unacknowledged || offset >= sender.next) return;
    if (error.kind === "too-big") {
      const present = Math.min(handshake.ownSegmentSize, transmitter.pathMtu.segmentSize);
      if (this.synchronized && transmitter.pathMtu.onFragmentationNeeded(error.segmentSize, present))
        sender.reduceSegmentSize(transmitter.fullSegmentSize, "icmp", now);
      return;
    }
    // A hard error ends an attempt to connect; what is established has proved that the peer is there (RFC 5927 §6; RFC 9293 §3.9.2.2).
    if (error.kind === "hard" && this.state === "syn-sent") this.#tcb.finish("refused", now);
    else if (error.kind === "soft") this.#noteUnreachable(now);
  }

  /** Nobody on the link answers for the next hop. An attempt to connect ends with `isFinal`; what has been sent waits for better times. */
  handleSilentNeighbour(isFinal: boolean, now: number): void {
    this.stirred = true;
    if (this.closed) return;
    this.#noteUnreachable(now);
    if (isFinal && this.state === "syn-sent") this.#tcb.giveUp(now);
  }

  #noteUnreachable(now: number): void {
    const { state, journal, unreachable } = this.#tcb;
    if (unreachable) return;
    this.#tcb.unreachable = true;
    journal.note({ name: "tcp:soft-error", section: "RFC 9293 §3.9.2.2", state }, now);
  }

  #transmitResets(now: number, output: SegmentOutput): void {
    const tcb = this.#tcb;
    if (tcb.resetToSend) {
      tcb.resetToSend = false;
      tcb.transmitter.sendControl(tcpFlag.rst | tcpFlag.ack, this.sender.next, now, output);
    }
    if (tcb.strayAcknowledgement >= 0) {
      tcb.transmitter.sendStrayReset(sequenceNumber(tcb.strayAcknowledgement), now, output);
      tcb.strayAcknowledgement = -1;
    }
  }

  #retransmissionTimeout(now: number): void {
    if (!this.synchronized) this.#opening.handleRetransmissionTimeout(now);
    else if (this.#tcb.liveness.isOverdue(now)) this.#tcb.giveUp(now);
    else if (this.sender.outstanding > 0) this.sender.handleRetransmissionTimeout(now);
  }

  #keepAliveTimeout(now: number): void {
    const verdict = this.#tcb.liveness.onKeepAliveTimeout(this.sender.outstanding > 0, now);
    if (verdict === "probe") this.#probeToSend = true;
    else if (verdict === "give-up") this.#tcb.giveUp(now);
  }
}

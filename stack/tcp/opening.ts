/** From CLOSED to ESTABLISHED: active, passive and simultaneous open (RFC 9293 §3.5, §3.10.7.3), and SYNs that get lost. */

import { type SequenceNumber, sequenceNumber, unwrapSequence } from "../wire/sequence.ts";
import { tcpFlag, type TcpSegment } from "../wire/tcp-segment.ts";
import type { TransmissionControlBlock } from "./tcb.ts";
import { timer } from "./timers.ts";

/** How a SYN is taken. */
export interface AcceptOptions {
  /** It has been answered already, with this sequence number (syn-cookies.ts). */
  cookie?: SequenceNumber | undefined;
  /** TCP Fast Open is granted and its data are taken (RFC 7413). */
  fastOpen?: boolean;
}

export class Opening {
  readonly #tcb: TransmissionControlBlock;

  constructor(tcb: TransmissionControlBlock) {
    this.#tcb = tcb;
  }

  connect(now: number, fastOpen: boolean): void {
    const { host, flow, handshake, timestamps } = this.#tcb;
    this.#tcb.state = "syn-sent";
    timestamps.offer();
    if (fastOpen) handshake.fastOpen = host.fastOpenCache.plan(flow.remoteAddress, now);
    this.#begin(now);
  }

  /** As `TcpEndpoint.acceptSyn`. */
  acceptSyn(segment: TcpSegment, now: number, { cookie, fastOpen = false }: AcceptOptions): boolean {
    this.#takeSyn(segment, now);
    if (!this.#tcb.user.handleSynOptions(segment, now)) return false;
    this.#tcb.state = "syn-received";
    if (cookie === undefined) this.#begin(now);
    else this.#resume(cookie, now);
    if (fastOpen && segment.fastOpenCookie !== undefined) this.#takeFastOpen(segment, segment.fastOpenCookie, now);
    return true;
  }

  /** RFC 9293 §3.10.7.3. */
  handleInSynSent(segment: TcpSegment, now: number): void {
    const tcb = this.#tcb;
    const { sender, user } = tcb;
    const acknowledged = unwrapSequence(segment.acknowledgement, sender.initialSequence, 1);
    const acknowledges = segment.has(tcpFlag.ack) && acknowledged >= 1 && acknowledged <= sender.next;
    if (segment.has(tcpFlag.rst)) {
      if (acknowledges && user.handleOptions(segment, now)) tcb.finish("refused", now);
      return;
    }
    if (segment.has(tcpFlag.ack) && !acknowledges) {
      tcb.strayAcknowledgement = segment.acknowledgement;
      return;
    }
    if (!segment.has(tcpFlag.syn)) return;
    this.#takeSyn(segment, now);
    if (acknowledges) {
      sender.unacknowledged = 1;
      sender.windowEdge = 1 + segment.window;
    }
    if (!user.handleSynOptions(segment, now)) {
      tcb.resetToSend = true;
      tcb.finish("protocol-error", now);
      return;
    }
    if (!acknowledges) {
      this.#openSimultaneously(now);
      return;
    }
    this.establish(segment, now);
    this.#settleFastOpen(segment, acknowledged, now);
    tcb.receiver.ackNeeded = true;
  }

  /** `segment` acknowledges our SYN. */
  establish(segment: TcpSegment, now: number): void {
    const { timers, sender, handshake, liveness, user, host } = this.#tcb;
    timers.stop(timer.retransmission);
    this.#tcb.state = "established";
    liveness.begin(now);
    this.#adoptSegmentSize();
    if (handshake.attempts === 0) sender.rtt.resetBackoff(); // When the cookie was sent is not known.
    else {
      if (!handshake.isAnsweredAtOnce(segment)) sender.restartAfterLostSyn(now);
      const roundTrip = handshake.roundTripOf(segment, now);
      if (roundTrip !== undefined) sender.rtt.sampleHandshake(roundTrip, now);
    }
    if (!this.#tcb.fastOpened) user.handleEstablished(now);
    else host.fastOpenServer.settle(this.#tcb);
    if (sender.outstanding > 0) timers.set(timer.retransmission, now + sender.timeout);
  }

  /** The SYN or SYN/ACK was not answered. */
  handleRetransmissionTimeout(now: number): void {
    const { handshake, sender, timers } = this.#tcb;
    handshake.timeouts++;
    if (handshake.exhausted) {
      this.#tcb.giveUp(now);
      return;
    }
    sender.backOff("handshake", now);
    timers.set(timer.retransmission, now + sender.timeout);
    handshake.synDue = true;
  }

  /** The peer's SYN has crossed ours (RFC 9293 §3.5, figure 7): both answer with SYN/ACK. */
  #openSimultaneously(now: number): void {
    const { handshake, sender, timers } = this.#tcb;
    this.#tcb.state = "syn-received";
    handshake.synDue = true;
    timers.set(timer.retransmission, now + sender.timeout);
  }

  #takeSyn(segment: TcpSegment, now: number): void {
    const { receiver, handshake, congestion, sender, timestamps, peerWindow, liveness } = this.#tcb;
    receiver.initialSequence = sequenceNumber(segment.sequence);
    receiver.next = 1;
    handshake.takeSyn(segment);
    congestion.takeSyn(segment);
    sender.sackPermitted = segment.sackPermitted;
    timestamps.negotiate(segment, now);
    if (segment.userTimeoutSeconds > 0) liveness.userTimeout.adopt(segment.userTimeoutSeconds);
    sender.windowEdge = 1 + segment.window;
    peerWindow.largest = segment.window;
  }

  #adoptSegmentSize(): void {
    const { sender, transmitter } = this.#tcb;
    const { fullSegmentSize } = transmitter;
    sender.maximumSegmentSize = fullSegmentSize;
    sender.congestion.setMaximumSegmentSize(fullSegmentSize);
  }

  /** A SYN with a cookie, or with a request for one (RFC 7413 §4.2.2): the data of a right one are taken, and the connection is one before the third segment. */
  #takeFastOpen(segment: TcpSegment, cookie: Uint8Array, now: number): void {
    const tcb = this.#tcb;
    const { host, flow, handshake, user, receiver } = tcb;
    const verdict = host.fastOpenServer.judge(flow, cookie, now);
    if (verdict !== "valid") handshake.grantedCookie = host.fastOpenServer.cookieFor(flow, now);
    if (verdict === "wrong") return;
    const { payloadLength } = segment;
    if (payloadLength === 0 || !host.fastOpenServer.admit(tcb)) return;
    if (payloadLength > user.receiveWindow() || !user.prepareSynData(payloadLength, segment)) {
      host.fastOpenServer.settle(tcb);
      return;
    }
    tcb.fastOpened = true;
    this.#adoptSegmentSize();
    user.handleEstablished(now);
    receiver.receive(segment, receiver.next, receiver.next + payloadLength, now);
  }

  /** The SYN/ACK tells what became of our cookie and of the data beside it (RFC 7413 §4.2.1, §4.1.3.1). */
  #settleFastOpen(segment: TcpSegment, acknowledged: number, now: number): void {
    const { host, flow, handshake, sender, user } = this.#tcb;
    if (handshake.fastOpen === undefined) return;
    const { remoteAddress } = flow;
    const { fastOpenCookie } = segment;
    if (handshake.attempts > 1) host.fastOpenCache.noteDropped(remoteAddress, now);
    else if (fastOpenCookie !== undefined && fastOpenCookie.length > 0)
      host.fastOpenCache.remember(remoteAddress, fastOpenCookie, handshake.peerSegmentSize);
    if (sender.outstanding === 0) return;
    user.handleSynDataAnswered(acknowledged - 1, now);
    sender.handleAcknowledgement(segment, acknowledged, false, now);
    sender.resendOutstanding(now);
  }

  /** The SYN/ACK went out, but nobody knows when. */
  #resume(cookie: SequenceNumber, now: number): void {
    const { sender, handshake, transmitter } = this.#tcb;
    sender.initialSequence = cookie;
    sender.next = 1;
    handshake.startedAt = now;
    transmitter.noteSynSent();
  }

  #begin(now: number): void {
    const { sender, host, handshake, timers, flow } = this.#tcb;
    sender.initialSequence = host.numbers.sequence(flow, now);
    handshake.begin(now);
    sender.next = 1;
    timers.set(timer.retransmission, now + sender.rtt.timeout);
  }
}

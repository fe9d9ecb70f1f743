/** From CLOSED to ESTABLISHED: active, passive and simultaneous open (RFC 9293 §3.5, §3.10.7.3), and SYNs that get lost. */

import { type SequenceNumber, sequenceNumber, wrapOffset } from "../wire/sequence.ts";
import { tcpFlag, type TcpSegment } from "../wire/tcp-segment.ts";
import type { TransmissionControlBlock } from "./tcb.ts";
import { timer } from "./timers.ts";

export class Opening {
  readonly #tcb: TransmissionControlBlock;

  constructor(tcb: TransmissionControlBlock) {
    this.#tcb = tcb;
  }

  connect(now: number): void {
    this.#tcb.state = "syn-sent";
    this.#tcb.timestamps.offer();
    this.#begin(now);
  }

  /** As `TcpEndpoint.acceptSyn`. */
  acceptSyn(segment: TcpSegment, now: number, cookie: SequenceNumber | undefined): boolean {
    this.#takeSyn(segment, now);
    if (!this.#tcb.user.handleSynOptions(segment, now)) return false;
    this.#tcb.state = "syn-received";
    if (cookie === undefined) this.#begin(now);
    else this.#resume(cookie, now);
    return true;
  }

  /** RFC 9293 §3.10.7.3. */
  handleInSynSent(segment: TcpSegment, now: number): void {
    const tcb = this.#tcb;
    const { sender, user } = tcb;
    const acknowledges = segment.has(tcpFlag.ack) && segment.acknowledgement === wrapOffset(sender.initialSequence, 1);
    if (segment.has(tcpFlag.rst)) {
      if (acknowledges) tcb.finish("refused", now);
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
    tcb.receiver.ackNeeded = true;
  }

  /** `segment` acknowledges our SYN. */
  establish(segment: TcpSegment, now: number): void {
    const { timers, sender, handshake, transmitter, liveness, user } = this.#tcb;
    timers.stop(timer.retransmission);
    this.#tcb.state = "established";
    liveness.begin(now);
    const { segmentSize } = transmitter;
    sender.maximumSegmentSize = segmentSize;
    sender.congestion.setMaximumSegmentSize(segmentSize);
    if (handshake.attempts === 0) sender.rtt.resetBackoff(); // When the cookie was sent is not known.
    else if (handshake.isAnsweredAtOnce(segment)) sender.rtt.sample(now - handshake.startedAt);
    else this.#beginAfterLoss();
    user.handleEstablished(now);
  }

  /** The SYN or SYN/ACK was not answered. */
  handleRetransmissionTimeout(now: number): void {
    const { handshake, sender, timers } = this.#tcb;
    if (handshake.exhausted) {
      this.#tcb.giveUp(now);
      return;
    }
    sender.rtt.backOff();
    timers.set(timer.retransmission, now + sender.timeout);
    handshake.synDue = true;
  }

  /**
   * A SYN or SYN/ACK was lost: the window begins with one segment (RFC 5681 §3.1), and, since a SYN that was sent twice tells no round-trip time (Karn), the timeout
   * with three seconds (RFC 6298 §5.7).
   */
  #beginAfterLoss(): void {
    const { sender } = this.#tcb;
    sender.rtt.restartAfterLostSyn();
    sender.congestion.onRetransmissionTimeout(0, true);
  }

  /** The peer's SYN has crossed ours (RFC 9293 §3.5, figure 7): both answer with SYN/ACK. */
  #openSimultaneously(now: number): void {
    const { handshake, sender, timers } = this.#tcb;
    this.#tcb.state = "syn-received";
    handshake.synDue = true;
    timers.set(timer.retransmission, now + sender.timeout);
  }

  #takeSyn(segment: TcpSegment, now: number): void {
    const { receiver, handshake, congestion, sender, timestamps, peerWindow } = this.#tcb;
    receiver.initialSequence = sequenceNumber(segment.sequence);
    receiver.next = 1;
    handshake.takeSyn(segment);
    congestion.takeSyn(segment);
    sender.sackPermitted = segment.sackPermitted;
    timestamps.negotiate(segment, now);
    sender.windowEdge = 1 + segment.window;
    peerWindow.largest = segment.window;
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

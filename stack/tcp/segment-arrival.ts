/** A segment for a connection whose peer's SYN has come: the eight checks of RFC 9293 §3.10.7.4, with RFC 5961 and RFC 7323. */

import { mptcpPresent } from "../wire/mptcp-options.ts";
import { unwrapSequence } from "../wire/sequence.ts";
import { tcpFlag, type TcpSegment } from "../wire/tcp-segment.ts";
import type { Closing } from "./closing.ts";
import type { Opening } from "./opening.ts";
import type { TransmissionControlBlock } from "./tcb.ts";

/** What travels on acknowledgements of its own: such a duplicate tells nothing of the path. */
const mptcpSignals = ~mptcpPresent.dss;

export class SegmentArrival {
  readonly #tcb: TransmissionControlBlock;
  readonly #opening: Opening;
  readonly #closing: Closing;

  constructor(tcb: TransmissionControlBlock, opening: Opening, closing: Closing) {
    this.#tcb = tcb;
    this.#opening = opening;
    this.#closing = closing;
  }

  handle(segment: TcpSegment, now: number): void {
    const tcb = this.#tcb;
    const { receiver } = tcb;
    const start = unwrapSequence(segment.sequence, receiver.initialSequence, receiver.next);
    const isReset = segment.has(tcpFlag.rst);
    const timestamps = isReset ? "acceptable" : tcb.timestamps.judge(segment, start, receiver.next, now);
    if (timestamps !== "acceptable") {
      if (timestamps === "old") tcb.challenge(now);
      return;
    }
    const edge = Math.max(tcb.transmitter.advertisedEdge, receiver.next);
    const end = start + segment.sequenceLength;
    const acceptable = start <= edge && (end >= receiver.next || start >= receiver.next);
    if (isReset) {
      if (start === receiver.next) this.#handleReset(segment, now);
      else if (acceptable) tcb.challenge(now);
      return;
    }
    if (segment.has(tcpFlag.syn)) {
      this.#handleSyn(segment, start, now);
      return;
    }
    if (!acceptable) {
      tcb.challenge(now);
      return;
    }
    if (!segment.has(tcpFlag.ack)) return;
    tcb.liveness.noteHeard(now);
    if (segment.userTimeoutSeconds > 0) tcb.liveness.userTimeout.adopt(segment.userTimeoutSeconds);
    tcb.unreachable = false;
    if (tcb.congestion.receive(segment)) receiver.ackNeeded = true;
    if (!this.#handleAcknowledgement(segment, start, now)) return;
    this.#handleText(segment, start, edge, now);
  }

  #handleReset(segment: TcpSegment, now: number): void {
    const tcb = this.#tcb;
    tcb.user.handleOptions(segment, now);
    if (!tcb.closed) tcb.finish(tcb.state === "time-wait" ? "finished" : "reset-by-peer", now);
  }

  /** RFC 5961 §4.2; in SYN-RECEIVED it is the peer's retransmission, which the SYN/ACK answers, or the SYN/ACK of one who opened at the same time. */
  #handleSyn(segment: TcpSegment, start: number, now: number): void {
    const tcb = this.#tcb;
    const isRepeated = start === 0;
    if (tcb.state === "syn-received" && isRepeated) {
      if (!segment.has(tcpFlag.ack)) {
        tcb.user.handleRepeatedSyn(segment);
        tcb.handshake.synDue = true;
      } else if (this.#handleAcknowledgement(segment, start, now)) tcb.receiver.ackNeeded = true;
    } else if (isRepeated && segment.has(tcpFlag.ack)) tcb.receiver.ackNeeded = true;
    else tcb.challenge(now);
  }

  /** False: nothing more of the segment is to be processed. */
  #handleAcknowledgement(segment: TcpSegment, start: number, now: number): boolean {
    const tcb = this.#tcb;
    const { sender } = tcb;
    const acknowledged = unwrapSequence(segment.acknowledgement, sender.initialSequence, sender.unacknowledged);
    if (tcb.state === "syn-received") {
      if (acknowledged < 1 || acknowledged > sender.next) {
        tcb.strayAcknowledgement = segment.acknowledgement;
        return false;
      }
      if (!tcb.user.handleOptions(segment, now) || tcb.closed) return false;
      sender.unacknowledged = Math.max(1, sender.unacknowledged);
      tcb.updateWindow(segment, start, acknowledged);
      this.#opening.establish(segment, now);
    } else {
      if (acknowledged > sender.next || acknowledged < sender.unacknowledged - tcb.peerWindow.largest) {
        tcb.challenge(now); // RFC 5961 §5.2.
        return false;
      }
      if (!tcb.user.handleOptions(segment, now) || tcb.closed) return false;
    }
    if (acknowledged < sender.unacknowledged) return true; // Old, but its payload may be new.
    this.#takeAcknowledgement(segment, start, acknowledged, now);
    return !tcb.closed && start >= 0;
  }

  #takeAcknowledgement(segment: TcpSegment, start: number, acknowledged: number, now: number): void {
    const tcb = this.#tcb;
    const { sender, transmitter } = tcb;
    const windowBefore = tcb.peerWindow.latestField;
    tcb.updateWindow(segment, start, acknowledged);
    const isDuplicate =
      acknowledged === sender.unacknowledged &&
      sender.outstanding > 0 &&
      segment.payloadLength === 0 &&
      segment.window === windowBefore && // RFC 5681 §2 (e).
      !segment.has(tcpFlag.fin) &&
      !segment.mptcp.has(mptcpSignals); // RFC 8684 §3, §4.
    const progress = acknowledged > sender.unacknowledged;
    const timeouts = sender.consecutiveTimeouts;
    sender.mayGrow = !tcb.congestion.echoes(segment);
    if (tcb.congestion.reactsTo(segment, acknowledged, sender.next)) sender.handleCongestionMark(now);
    sender.handleAcknowledgement(segment, acknowledged, isDuplicate, now);
    if (progress) {
      tcb.liveness.noteProgress();
      if (timeouts > 0 && transmitter.pathMtu.onAnswer(sender.maximumSegmentSize, timeouts))
        sender.reduceSegmentSize(transmitter.fullSegmentSize, "black-hole", now);
      tcb.user.handleProgress(now);
    }
    this.#closing.handleAcknowledged(acknowledged, now);
  }

  /** URG is not looked at: urgent data are part of the stream (RFC 6093 §6). */
  #handleText(segment: TcpSegment, start: number, edge: number, now: number): void {
    const tcb = this.#tcb;
    const { receiver, state } = tcb;
    if (state !== "established" && state !== "fin-wait-1" && state !== "fin-wait-2") {
      if (segment.sequenceLength > 0) receiver.ackNeeded = true;
      if (state === "time-wait") this.#closing.prolongTimeWait(now);
      return;
    }
    if (start < receiver.next && segment.sequenceLength === 0) receiver.ackNeeded = true; // A keep-alive or window probe.
    receiver.receive(segment, start, edge, now);
    if (segment.payloadLength > 0) tcb.timestamps.noteData(segment, now);
    if (segment.has(tcpFlag.fin)) this.#closing.noteFin(segment, start);
    if (receiver.next === receiver.finOffset && !tcb.closed) this.#closing.handleFin(now);
  }
}

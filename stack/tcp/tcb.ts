/** What is known of one connection (RFC 9293 §3.3.1, the transmission control block): opening, segment arrival and closing work on it, each its own part. */

import type { SubflowCloseReason } from "../events.ts";
import { isIpv6 } from "../wire/ip-address.ts";
import type { TcpSegment } from "../wire/tcp-segment.ts";
import { ChallengeAckLimit } from "./challenge-ack.ts";
import { ExplicitCongestion } from "./explicit-congestion.ts";
import { Handshake } from "./handshake.ts";
import type { HostTcp } from "./host-tcp.ts";
import { Liveness } from "./liveness.ts";
import { PeerWindow } from "./peer-window.ts";
import { Receiver } from "./receiver.ts";
import { Sender, type SenderObserver } from "./sender.ts";
import type { TcpEndpointOptions } from "./tcp-endpoint.ts";
import type { TcpJournal } from "./tcp-journal.ts";
import type { TcpState } from "./tcp-state.ts";
import type { TcpUser } from "./tcp-user.ts";
import type { Lingering } from "./time-wait.ts";
import { TimerTable } from "./timers.ts";
import { TimestampClock } from "./timestamp-clock.ts";
import { type Flow, Transmitter } from "./transmitter.ts";

export class TransmissionControlBlock implements Lingering {
  state: TcpState = "closed";
  /** No more data will be given. */
  finRequested = false;
  resetToSend = false;
  /** An unacceptable acknowledgement of the handshake, to be answered with RST; -1: none. */
  strayAcknowledgement = -1;
  /** The peer's SYN brought data that have been taken, before it has answered our SYN/ACK (RFC 7413 §4.2). */
  fastOpened = false;
  /** A router has said that the peer cannot be reached, and nothing has come since. */
  unreachable = false;

  readonly flow: Flow;
  readonly user: TcpUser;
  readonly journal: TcpJournal;
  readonly host: HostTcp;
  readonly timers: TimerTable;
  readonly timestamps: TimestampClock;
  readonly handshake: Handshake;
  readonly peerWindow: PeerWindow = new PeerWindow();
  readonly congestion: ExplicitCongestion;
  readonly liveness: Liveness;
  readonly sender: Sender;
  readonly receiver: Receiver;
  readonly transmitter: Transmitter;
  readonly #challengeAcks: ChallengeAckLimit;

  constructor(options: TcpEndpointOptions) {
    const { user } = options;
    this.flow = options;
    this.timers = new TimerTable(options.agenda);
    this.user = user;
    this.journal = options.journal;
    this.host = options.host;
    this.#challengeAcks = new ChallengeAckLimit(options.host.challengeAcks);
    this.timestamps = new TimestampClock(options.host.numbers.timestampOffset(options));
    this.handshake = new Handshake(
      options.maximumSegmentSize,
      options.windowScale,
      isIpv6(options.remoteAddress) ? "ipv6" : "ipv4",
    );
    this.congestion = new ExplicitCongestion(options.tcp.explicitCongestionNotification ?? false);
    this.liveness = new Liveness(options.tcp, this.timers);
    const observer: SenderObserver = {
      onRangeAcknowledged: (range, end) => {
        if (!range.fin) user.handleAcknowledged(range, end);
        if (range.length >= this.sender.maximumSegmentSize) this.transmitter.pathMtu.onFullSegment();
      },
      onRttSample: (rtt, now) => user.handleRttSample(rtt, now),
      onRetransmissionTimeout: (now) => user.handleRetransmissionTimeout(now),
    };
    this.sender = new Sender(options.congestion, this.timers, this.timestamps, observer, options.journal);
    this.sender.pacer.enabled = options.tcp.pacing ?? true;
    this.receiver = new Receiver(this.timers, (offset, bytes, byteOffset, length, now) =>
      user.handlePayload(offset, bytes, byteOffset, length, now),
    );
    this.transmitter = new Transmitter(
      options,
      user,
      this.sender,
      this.receiver,
      this.handshake,
      this.timestamps,
      this.congestion,
      this.liveness.userTimeout,
      options.gso,
    );
  }

  get closed(): boolean {
    return this.state === "closed";
  }

  get synchronized(): boolean {
    return this.state !== "closed" && this.state !== "syn-sent" && this.state !== "syn-received";
  }

  /** Data may be sent (RFC 9293 §3.9.1.2). */
  get canSendData(): boolean {
    if (this.finRequested) return false;
    if (this.state === "syn-received") return this.fastOpened && this.user.mayAnswerSyn;
    return this.state === "established" || this.state === "close-wait";
  }

  /** RFC 5961 §7: challenge acknowledgements are bounded in rate. */
  challenge(now: number): void {
    if (this.#challengeAcks.allow(now)) this.receiver.ackNeeded = true;
  }

  /** The window may shrink (RFC 9293 §3.8.6, MUST-34), unless others fill it too: then the edge only seems to move back. */
  updateWindow(segment: TcpSegment, start: number, acknowledged: number): void {
    // The checks of RFC 9293 §3.10.7.4 are of a segment that begins at RCV.NXT: one beyond a gap does not make those older that fill it.
    const inOrder = Math.min(start, this.receiver.next);
    const edge = this.peerWindow.update(inOrder, acknowledged, this.handshake.windowOf(segment), segment.window);
    if (edge > this.sender.windowEdge || (edge >= 0 && !this.user.windowIsShared)) this.sender.windowEdge = edge;
  }

  /** Nobody has answered for as long as we wait. */
  giveUp(now: number): void {
    this.finish(this.unreachable ? "unreachable" : "timeout", now);
  }

  /** TIME-WAIT ends before its time (RFC 9293 §3.6.1). */
  expire(now: number): void {
    this.finish("finished", now);
  }

  /** The connection is no more. */
  finish(reason: SubflowCloseReason, now: number): void {
    if (this.state === "time-wait") this.host.timeWait.leave(this);
    if (this.fastOpened) this.host.fastOpenServer.settle(this);
    this.state = "closed";
    this.timers.stopAll();
    this.user.handleClosed(reason, now);
    this.sender.release();
    this.receiver.release();
  }
}

/** From ESTABLISHED to CLOSED: FIN in both directions, TIME-WAIT, and the end of half-closed connections (RFC 9293 §3.6). */

import type { TcpSegment } from "../wire/tcp-segment.ts";
import type { TransmissionControlBlock } from "./tcb.ts";
import type { SegmentOutput } from "./tcp-user.ts";
import { timer } from "./timers.ts";

const timeWaitMicroseconds = 60_000_000;
const finWait2Microseconds = 60_000_000;

export class Closing {
  readonly #tcb: TransmissionControlBlock;
  #finOffset = Number.POSITIVE_INFINITY;

  constructor(tcb: TransmissionControlBlock) {
    this.#tcb = tcb;
  }

  /** No more data will be given: FIN after what has been sent. */
  request(now: number): void {
    const tcb = this.#tcb;
    if (tcb.finRequested || tcb.closed) return;
    if (tcb.state === "syn-sent") tcb.finish("finished", now);
    else tcb.finRequested = true;
  }

  /** Sends the FIN, once. */
  transmit(now: number, output: SegmentOutput): void {
    const tcb = this.#tcb;
    if (!tcb.finRequested || this.#finOffset !== Number.POSITIVE_INFINITY) return;
    const range = tcb.sender.append(1);
    range.fin = true;
    this.#finOffset = range.start;
    if (tcb.state === "established") tcb.state = "fin-wait-1";
    else if (tcb.state === "close-wait") tcb.state = "last-ack";
    tcb.transmitter.sendRange(range, now, output);
  }

  /** A segment with FIN whose payload begins at `start`. */
  noteFin(segment: TcpSegment, start: number): void {
    const { receiver } = this.#tcb;
    receiver.finOffset = Math.min(receiver.finOffset, start + segment.payloadLength);
  }

  /** Everything before the peer's FIN has come. */
  handleFin(now: number): void {
    const tcb = this.#tcb;
    tcb.receiver.next++;
    tcb.receiver.ackNeeded = true;
    if (tcb.state === "established") tcb.state = "close-wait";
    else if (tcb.state === "fin-wait-1") tcb.state = "closing";
    else if (tcb.state === "fin-wait-2") this.#enterTimeWait(now);
    tcb.user.handleFin(now);
  }

  /** The peer has acknowledged up to offset `acknowledged`: our FIN, perhaps. */
  handleAcknowledged(acknowledged: number, now: number): void {
    if (acknowledged <= this.#finOffset) return;
    const tcb = this.#tcb;
    if (tcb.state === "fin-wait-1") {
      tcb.state = "fin-wait-2";
      // A half-closed connection may stay so for ever; one that the application has left may not.
      if (tcb.user.ended) tcb.timers.set(timer.linger, now + finWait2Microseconds);
    } else if (tcb.state === "closing") this.#enterTimeWait(now);
    else if (tcb.state === "last-ack") tcb.finish("finished", now);
  }

  /** A segment in TIME-WAIT: the peer has not heard the last acknowledgement (RFC 9293 §3.10.7.4). */
  prolongTimeWait(now: number): void {
    this.#tcb.timers.set(timer.linger, now + timeWaitMicroseconds);
  }

  #enterTimeWait(now: number): void {
    this.#tcb.state = "time-wait";
    this.#tcb.timers.stopAll();
    this.prolongTimeWait(now);
    this.#tcb.host.timeWait.enter(this.#tcb, now);
  }
}

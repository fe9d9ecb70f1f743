/** Explicit congestion notification of one subflow (RFC 3168 §6.1): negotiated by the SYNs, echoed by the receiver, answered by the sender. */

import { ecn } from "../wire/ipv4.ts";
import { tcpFlag, type TcpSegment } from "../wire/tcp-segment.ts";

const echoAndReduced = tcpFlag.ece | tcpFlag.cwr;

export class ExplicitCongestion {
  /** Both sides have agreed. */
  enabled = false;
  readonly #wanted: boolean;
  /** A SYN of ours has gone out that did not ask: nothing is marked then, whatever the answer (§6.1.1). */
  #withdrawn = false;
  /** The peer is told of congestion until it says that it has reduced its window (§6.1.3). */
  #echo = false;
  /** CWR goes out with the next new data (§6.1.2). */
  #reduced = false;
  /** Congestion up to this offset has been answered: once in a round trip. */
  #answeredUpTo = 0;

  constructor(wanted: boolean) {
    this.#wanted = wanted;
  }

  /** A SYN with ECE and CWR asks, a SYN/ACK with ECE alone grants (§6.1.1). */
  takeSyn(segment: TcpSegment): void {
    const flags = segment.flags & echoAndReduced;
    this.enabled =
      this.#wanted && !this.#withdrawn && flags === (segment.has(tcpFlag.ack) ? tcpFlag.ece : echoAndReduced);
  }

  /** Flags of our SYN, or of the SYN/ACK. A repeated SYN does not ask: a middlebox may drop those that do (§6.1.1.1). */
  synFlags(passive: boolean, attempt: number): number {
    if (passive) return this.enabled ? tcpFlag.ece : 0;
    this.#withdrawn = attempt > 0;
    return this.#wanted && attempt === 0 ? echoAndReduced : 0;
  }

  /** An acceptable segment came. True: an acknowledgement is due at once. */
  receive(segment: TcpSegment): boolean {
    if (!this.enabled) return false;
    if (segment.has(tcpFlag.cwr)) this.#echo = false;
    if (segment.ecn !== ecn.congestionExperienced) return false;
    this.#echo = true;
    return true;
  }

  /** The peer has had a mark and does not know yet that we do: the window does not grow by such an acknowledgement (§6.1.2). */
  echoes(segment: TcpSegment): boolean {
    return this.enabled && segment.has(tcpFlag.ece);
  }

  /** Whether congestion control has to react to the acknowledgement; `next` is SND.NXT. */
  reactsTo(segment: TcpSegment, acknowledged: number, next: number): boolean {
    if (!this.echoes(segment) || acknowledged <= this.#answeredUpTo) return false;
    this.#answeredUpTo = next;
    this.#reduced = true;
    return true;
  }

  /** Marks a segment about to be sent. Only new data may be marked on their way: not retransmissions, not pure acknowledgements (§6.1.4, §6.1.5). */
  mark(segment: TcpSegment, carriesNewData: boolean): void {
    if (!this.enabled) return;
    if (this.#echo) segment.flags |= tcpFlag.ece;
    if (!carriesNewData) return;
    segment.ecn = ecn.capable;
    if (!this.#reduced) return;
    segment.flags |= tcpFlag.cwr;
    this.#reduced = false;
  }
}

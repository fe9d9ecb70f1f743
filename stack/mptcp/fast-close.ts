/**
 * MP_FASTCLOSE on an acknowledgement: the peer is told on one subflow that the connection is over, and is to answer with RST there (RFC 8684 §3.5, option A). Until
 * then that subflow stays, without the connection, which the application has left.
 */

import type { Subflow } from "./subflow.ts";

/** RFC 8684 §3.5: "a RECOMMENDED number is 3". */
const retransmissionLimit = 3;

export class FastClose {
  /** Carries the option. */
  readonly carrier: Subflow;
  nextTimeout: number;
  #retransmissions = 0;

  constructor(carrier: Subflow, now: number) {
    this.carrier = carrier;
    carrier.endpoint.requestAck();
    this.nextTimeout = now + carrier.endpoint.sender.timeout;
  }

  handleTimeout(now: number): void {
    if (now < this.nextTimeout) return;
    this.nextTimeout = Number.POSITIVE_INFINITY;
    const { endpoint } = this.carrier;
    if (endpoint.closed) return;
    if (this.#retransmissions++ >= retransmissionLimit) {
      // The RST, with the option, clears what the boxes on the way remember.
      endpoint.abort("timeout", now);
      return;
    }
    endpoint.requestAck();
    this.nextTimeout = now + endpoint.sender.timeout;
  }
}

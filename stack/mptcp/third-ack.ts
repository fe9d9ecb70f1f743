/**
 * The third packet of the initiator's handshake, which says what the listener must not miss: both keys (RFC 8684 §3.1) or the initiator's HMAC (§3.2). Sent again
 * until a fourth packet answers it, for TCP alone would not: it takes no sequence number.
 */

import type { Subflow } from "./subflow.ts";

const attemptLimit = 6;

export class ThirdAck {
  /** When it is due again. */
  #nextTimeout: number = Number.POSITIVE_INFINITY;
  readonly #subflow: Subflow;
  #attempts = 0;
  #sentAt = 0;

  constructor(subflow: Subflow) {
    this.#subflow = subflow;
  }

  get nextTimeout(): number {
    return this.#nextTimeout;
  }

  /** The subflow is established. */
  begin(now: number): void {
    if (this.#isMissing) this.#send(now);
  }

  handleTimeout(now: number): void {
    if (now < this.#nextTimeout) return;
    this.#schedule(Number.POSITIVE_INFINITY);
    if (!this.#isMissing) return;
    if (this.#attempts < attemptLimit) this.#send(now);
    // Without the fourth packet no data may go over a joined subflow: it is of no use. The first one has its data to show that it works.
    else if (this.#subflow.isJoin) this.#subflow.endpoint.abort("timeout", now);
  }

  /** The fourth packet has come: a round trip, where the third was sent once. A subflow that seems slow by its handshake would carry nothing, and go on to seem so. */
  answered(now: number): void {
    if (this.#attempts === 1) this.#subflow.endpoint.sender.rtt.objectToHandshake(now - this.#sentAt, now);
  }

  #send(now: number): void {
    const { endpoint } = this.#subflow;
    endpoint.requestAck();
    this.#sentAt = now;
    this.#schedule(now + endpoint.sender.timeout * 2 ** this.#attempts++);
  }

  #schedule(at: number): void {
    this.#nextTimeout = at;
    this.#subflow.noteCheck();
  }

  /** Nothing tells yet that the packet has come. Data of the first subflow carry the keys themselves, and TCP sends them again. */
  get #isMissing(): boolean {
    const { role, connection, endpoint, joinConfirmed } = this.#subflow;
    if (endpoint.closed) return false;
    if (role === "join-client") return !joinConfirmed;
    return role === "initial-client" && !connection.plain && !connection.confirmed && endpoint.sender.next === 1;
  }
}

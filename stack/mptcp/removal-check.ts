/** Is a subflow out of use whose address the peer has removed? A keep-alive asks; only silence closes it, for the option may be late or a mistake (RFC 8684 §3.4.2). */

import type { Subflow } from "./subflow.ts";

const probeLimit = 3;

export class RemovalCheck {
  /** When the next probe, or the end, is due. */
  nextTimeout: number = Number.POSITIVE_INFINITY;
  readonly #subflow: Subflow;
  #probes = 0;

  constructor(subflow: Subflow) {
    this.#subflow = subflow;
  }

  begin(now: number): void {
    if (this.nextTimeout !== Number.POSITIVE_INFINITY) return;
    this.#probes = 0;
    this.#subflow.doubt(now);
    this.#probe(now);
  }

  /** Something has come over the subflow: it is in use, unless it may have been under way when the address was removed: what came before the second probe says nothing. */
  noteHeard(now: number): void {
    if (this.nextTimeout === Number.POSITIVE_INFINITY || this.#probes < 2) return;
    this.nextTimeout = Number.POSITIVE_INFINITY;
    this.#subflow.handleProgress(now);
  }

  handleTimeout(now: number): void {
    if (now < this.nextTimeout) return;
    if (this.#probes < probeLimit) {
      this.#probe(now);
      return;
    }
    this.nextTimeout = Number.POSITIVE_INFINITY;
    this.#subflow.endpoint.abort("address-removed", now);
  }

  #probe(now: number): void {
    const { endpoint } = this.#subflow;
    endpoint.requestProbe();
    this.#probes++;
    this.nextTimeout = now + endpoint.sender.timeout; // With the back-off of what is outstanding.
  }
}

/** Is a subflow out of use: its address was removed by the peer (RFC 8684 §3.4.2), or nothing comes over it any more? A keep-alive asks; only silence closes it. */

import type { Subflow } from "./subflow.ts";

const probeLimit = 3;

export class SilenceCheck {
  /** When the next probe, or the end, is due. */
  #nextTimeout: number = Number.POSITIVE_INFINITY;
  readonly #subflow: Subflow;
  #reason: "address-removed" | "timeout" = "timeout";
  #probes = 0;

  constructor(subflow: Subflow) {
    this.#subflow = subflow;
  }

  get nextTimeout(): number {
    return this.#nextTimeout;
  }

  /** `reason`: why the subflow ends if nothing answers. REMOVE_ADDR may be late or a mistake, so that one in use goes on. */
  begin(reason: "address-removed" | "timeout", now: number): void {
    if (this.#nextTimeout !== Number.POSITIVE_INFINITY) return;
    this.#reason = reason;
    this.#probes = 0;
    if (reason === "address-removed") this.#subflow.doubt(now);
    this.#probe(now);
  }

  /** Something has come over the subflow: it is in use, unless it may have been under way when the address was removed: what came before the second probe says nothing. */
  noteHeard(now: number): void {
    if (this.#nextTimeout === Number.POSITIVE_INFINITY) return;
    if (this.#reason === "address-removed" && this.#probes < 2) return;
    this.#schedule(Number.POSITIVE_INFINITY);
    this.#subflow.handleProgress(now);
  }

  handleTimeout(now: number): void {
    if (now < this.#nextTimeout) return;
    if (this.#probes < probeLimit) {
      this.#probe(now);
      return;
    }
    this.#schedule(Number.POSITIVE_INFINITY);
    this.#subflow.endpoint.abort(this.#reason, now);
  }

  #schedule(at: number): void {
    this.#nextTimeout = at;
    this.#subflow.noteCheck();
  }

  #probe(now: number): void {
    const { endpoint } = this.#subflow;
    endpoint.requestProbe();
    this.#probes++;
    const delayMicroseconds = endpoint.sender.timeout; // With the back-off of what is outstanding.
    this.#schedule(now + delayMicroseconds);
    const { connection, id } = this.#subflow;
    connection.environment.trace["path-manager"]?.({
      time: now,
      name: "path-manager:subflow-questioned",
      connection: connection.id,
      subflow: id,
      section: this.#reason === "address-removed" ? "RFC 8684 §3.4.2" : "RFC 9293 §3.8.4",
      reason: this.#reason,
      attempt: this.#probes,
      delayMicroseconds,
    });
  }
}

/**
 * The only subflow has acknowledged data that no DATA_ACK has. The peer may lack their mappings and be about to take that subflow's stream for the data (RFC 8684 §3.7):
 * sent again at data level, which makes them new bytes of the subflow, they would be new data to it. So they are not, until it has shown that it still speaks MPTCP.
 */

import type { Subflow } from "./subflow.ts";

/** A peer that waits for a mapping has given up by then. */
const peersPatience = 250_000;
/** Where no timestamps tell what the peer's answer answers: timeouts of the data level, the last of which takes longer than any queue; what comes meanwhile answers the probes. */
const timeoutsWithoutTimestamps = 4;

export class FallbackDoubt {
  /** -1: there is none. */
  #since = -1;
  #timeouts = 0;
  #latestAt = -1;

  /** Of the data level, since a DATA_ACK last brought progress. */
  get timeouts(): number {
    return this.#timeouts;
  }

  /** A DATA_ACK has brought progress. */
  settle(): void {
    this.#since = -1;
    this.#timeouts = 0;
  }

  /** A timeout of the data level. True: what the peer sent last carried an option, and it sent that after its patience was over. */
  isSettledAtTimeout(subflow: Subflow, now: number): boolean {
    if (this.#since < 0) this.#since = now;
    this.#timeouts++;
    const previousAt = this.#latestAt;
    this.#latestAt = now;
    const proof = subflow.endpoint.timestampAt(this.#since + peersPatience);
    if (proof < 0) return this.#timeouts >= timeoutsWithoutTimestamps && subflow.optionsHeardAt > previousAt;
    return subflow.optionsEcho >= 0 && ((subflow.optionsEcho - proof) | 0) >= 0;
  }
}

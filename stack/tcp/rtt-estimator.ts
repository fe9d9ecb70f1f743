/** Smoothed round-trip time and retransmission timeout (RFC 6298). All in microseconds. */

import { WindowedMinimum } from "./windowed-minimum.ts";

const initialTimeout = 1_000_000;
const timeoutAfterLostSyn = 3_000_000;
/** RFC 6298 (2.4) says one second; 200 ms is what the field uses, and what failover within a second and a half needs. */
const minimumTimeout = 200_000;
const maximumTimeout = 60_000_000;
/** To ask for the neighbour's address makes two round trips of a handshake: no more than that is in it by rights. */
const refutingFactor = 3;

export class RttEstimator {
  /** 0: not measured yet. */
  smoothed = 0;
  variation = 0;
  latest = 0;
  readonly #minimum = new WindowedMinimum();
  #timeout = initialTimeout;
  #backoff = 0;
  /** All that is known is what the handshake took. */
  #isOfHandshake = false;

  /** There may be more in it than a round trip: a SYN/ACK that was lost, a neighbour whose address was asked for first. A later one tells. */
  sampleHandshake(rtt: number, now: number): void {
    this.sample(rtt, now);
    this.#isOfHandshake = true;
  }

  /** A round trip that is no measurement of its own, only an objection to that of the handshake. */
  objectToHandshake(rtt: number, now: number): void {
    if (this.#refutesHandshake(rtt)) this.sample(rtt, now);
  }

  /** A round trip that began with an unambiguous transmission (Karn's algorithm: never with a segment that was sent twice). */
  sample(rtt: number, now: number): void {
    rtt = Math.max(1, rtt);
    this.latest = rtt;
    this.#minimum.note(rtt, now);
    if (this.smoothed === 0 || this.#refutesHandshake(rtt)) {
      this.smoothed = rtt;
      this.variation = rtt / 2;
    } else {
      this.variation += (Math.abs(this.smoothed - rtt) - this.variation) / 4;
      this.smoothed += (rtt - this.smoothed) / 8;
    }
    this.#isOfHandshake = false;
    this.#timeout = Math.max(minimumTimeout, this.smoothed + 4 * this.variation);
    this.#backoff = 0;
  }

  #refutesHandshake(rtt: number): boolean {
    return this.#isOfHandshake && rtt * refutingFactor < this.smoothed;
  }

  /** Of the last few minutes: the path may have become longer. */
  get minimum(): number {
    return this.#minimum.value;
  }

  /** Data begin after a SYN that had to be sent again (RFC 6298 (5.7)). */
  restartAfterLostSyn(): void {
    this.#timeout = timeoutAfterLostSyn;
    this.#backoff = 0;
  }

  /** The timer has expired: the next timeout is twice as long (RFC 6298 (5.5)). */
  backOff(): void {
    if (this.timeout < maximumTimeout) this.#backoff++;
  }

  /** The peer has answered with new data acknowledged: back-off ends even when the sample was ambiguous. */
  resetBackoff(): void {
    this.#backoff = 0;
  }

  get backoff(): number {
    return this.#backoff;
  }

  /** With back-off. */
  get timeout(): number {
    const timeout = this.#backoff === 0 ? this.#timeout : this.#timeout * 2 ** this.#backoff;
    return Math.min(maximumTimeout, timeout);
  }
}

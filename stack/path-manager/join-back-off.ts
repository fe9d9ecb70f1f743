/** When a subflow that has ended, or never came about, is tried again: ever more rarely, until one has lived for a while. */

const firstRetry = 200_000;
const lastRetry = 8_000_000;
/** Where MPTCP does not get through: the path may change, but most likely it does not (RFC 8684 §3.6, SHOULD NOT). */
const lastRetryOfHopeless = 300_000_000;

export class JoinBackOff {
  /** Before this, in microseconds, no join; 0: at once. */
  retryAt = 0;
  #delay = firstRetry;
  /** Of the latest that has not ended; Infinity: there is none. */
  #establishedAt: number = Number.POSITIVE_INFINITY;
  #limit: number;

  /** @param limitUnanswered microseconds between attempts at the most, as long as none has been answered */
  constructor(limitUnanswered: number = lastRetry) {
    this.#limit = limitUnanswered;
  }

  onEstablished(now: number): void {
    this.#establishedAt = now;
    this.#limit = lastRetry;
  }

  /** The interface or the address has gone: its return is an event of its own, and then there is nothing to wait for. */
  reset(): void {
    this.retryAt = 0;
    this.#delay = firstRetry;
  }

  /** Returns how many microseconds are waited. `permanent`: MPTCP does not get through there. */
  onClosed(permanent: boolean, now: number): number {
    // One that was reset as soon as it carried data was no success: options get lost there.
    if (now - this.#establishedAt > lastRetry) this.#delay = firstRetry;
    this.#establishedAt = Number.POSITIVE_INFINITY;
    const delay = this.#delay;
    this.retryAt = now + delay;
    this.#delay = Math.min(permanent ? lastRetryOfHopeless : this.#limit, delay * 2);
    return delay;
  }
}

import type { CongestionControl } from "./congestion-control.ts";

/** Queueing that is always allowed: a sender or receiver that pauses for less must not leave the path idle. */
const minimumQueueMicroseconds = 100_000;
/** Rounds of which the fastest tells what the path delivers: a pause of either host makes a slow round, not a slow path (as BBR's maximum filter). */
const deliveryRounds = 8;
/** Samples of a round after which slow start may be ended before the round is (as HyStart++, RFC 9406 §4.2, N_RTT_SAMPLE). */
const slowStartSamples = 8;
/** So many rounds in which capping did not shorten the RTT, or could not, since so little is under way: the path itself is longer, or others fill its queue. */
const ineffectiveRounds = 3;

/**
 * Window capping of Raiciu et al., NSDI'12 §4.2 (mechanism 4): a subflow stops filling a deep buffer once its RTT has doubled. Used only
 * beside other subflows: what waits for two seconds in one path's queue blocks the receive window of the whole connection, and when the
 * other path dies, its data queue up behind it.
 */
export class WindowCap {
  #baseRtt = Number.POSITIVE_INFINITY;
  #roundRtt = Number.POSITIVE_INFINITY;
  #roundSamples = 0;
  #roundStartedAt = 0;
  #roundStartedWith = 0;
  #roundEnd = 0;
  #cappedRtt = 0;
  #ineffective = 0;
  /** Bytes per microsecond of the latest rounds. */
  readonly #deliveryRates = new Float64Array(deliveryRounds);
  #rounds = 0;

  get baseRttMicroseconds(): number {
    return this.#baseRtt;
  }

  /**
   * `rttMicroseconds` was measured when `acknowledged` (an offset of the subflow) was acknowledged, `sendNext` is what is sent by now. Judges once per
   * round trip by its least RTT, and caps at what the path delivers in twice the base RTT. Returns the RTT when it capped, otherwise 0.
   * `active` false: only learns the base RTT. Never caps below `leastWindow` bytes, with which any connection may begin: so little fills no deep
   * buffer, and what delays it is the hosts' processors or the queues of others.
   */
  onRttSample(
    congestion: CongestionControl,
    rttMicroseconds: number,
    acknowledged: number,
    sendNext: number,
    active: boolean,
    leastWindow: number,
    now: number,
  ): number {
    if (rttMicroseconds < this.#baseRtt) this.#baseRtt = rttMicroseconds;
    if (rttMicroseconds < this.#roundRtt) this.#roundRtt = rttMicroseconds;
    this.#roundSamples++;
    const inSlowStart = congestion.congestionWindow < congestion.slowStartThreshold;
    const roundIsOver = acknowledged >= this.#roundEnd;
    if (!roundIsOver && !(inSlowStart && this.#roundSamples >= slowStartSamples && this.#roundRtt > this.#allowedRtt))
      return 0;
    const rtt = this.#roundRtt;
    const elapsed = now - this.#roundStartedAt;
    const delivered = acknowledged - this.#roundStartedWith;
    this.#roundRtt = Number.POSITIVE_INFINITY;
    this.#roundSamples = 0;
    this.#roundStartedAt = now;
    this.#roundStartedWith = acknowledged;
    this.#roundEnd = sendNext;
    if (elapsed > 0) this.#deliveryRates[this.#rounds++ % deliveryRounds] = delivered / elapsed;
    if (!active || rtt <= this.#allowedRtt || elapsed === 0 || delivered === 0) {
      this.#cappedRtt = 0;
      this.#ineffective = 0;
      return 0;
    }
    const isLeast = congestion.congestionWindow <= leastWindow;
    this.#ineffective = isLeast || (this.#cappedRtt > 0 && rtt > 0.9 * this.#cappedRtt) ? this.#ineffective + 1 : 0;
    this.#cappedRtt = rtt;
    if (this.#ineffective >= ineffectiveRounds) {
      this.#baseRtt = rtt;
      this.#ineffective = 0;
      return 0;
    }
    const cap = Math.max(leastWindow, Math.max(...this.#deliveryRates) * this.#allowedRtt);
    if (cap >= congestion.congestionWindow) return 0;
    congestion.limit(cap);
    return rtt;
  }

  get #allowedRtt(): number {
    return this.#baseRtt + Math.max(this.#baseRtt, minimumQueueMicroseconds);
  }
}

import type { CongestionControl } from "./congestion-control.ts";

const minimumQueueMicroseconds = 20_000;

/**
 * Window capping of Raiciu et al., NSDI'12 §4.2 (mechanism 4): a subflow stops filling a deep buffer once its RTT has doubled. Used only
 * beside other subflows: what waits for two seconds in one path's queue blocks the receive window of the whole connection, and when the
 * other path dies, its data queue up behind it.
 */
export class WindowCap {
  #baseRtt = Number.POSITIVE_INFINITY;
  #roundRtt = Number.POSITIVE_INFINITY;
  #roundEnd = 0;

  get baseRttMicroseconds(): number {
    return this.#baseRtt;
  }

  /**
   * `rttMicroseconds` was measured when `acknowledged` (an offset of the subflow) was acknowledged; `sendNext` is what is sent by now. Once per
   * round trip, judges by the least RTT of the round. Returns the RTT when the window was capped, otherwise 0.
   */
  onRttSample(
    congestion: CongestionControl,
    rttMicroseconds: number,
    acknowledged: number,
    sendNext: number,
    bytesInFlight: number,
  ): number {
    if (rttMicroseconds < this.#baseRtt) this.#baseRtt = rttMicroseconds;
    if (rttMicroseconds < this.#roundRtt) this.#roundRtt = rttMicroseconds;
    if (acknowledged < this.#roundEnd) return 0;
    const rtt = this.#roundRtt;
    this.#roundRtt = Number.POSITIVE_INFINITY;
    this.#roundEnd = sendNext;
    const allowed = this.#baseRtt + Math.max(this.#baseRtt, minimumQueueMicroseconds);
    if (rtt <= allowed) return 0;
    const cap = (Math.max(bytesInFlight, congestion.congestionWindow) * allowed) / rtt;
    congestion.limit(cap);
    return rtt;
  }
}

import { Coupled } from "./coupled.ts";

/** Segments that all subflows of a connection together keep in queues. */
const totalBacklog = 10;
const smallestBacklog = 2;
/** Segments in the queue that end slow start. */
const slowStartBacklog = 1;
const minimumSamples = 3;

/**
 * Weighted Vegas (Cao et al., ICNP'12): congestion is what waits in queues, seen by the RTT. Each subflow keeps its share of a fixed number of segments waiting, by
 * its share of the rate, so that load moves to where queues are short.
 */
export class WeightedVegas extends Coupled {
  override readonly name: string = "wvegas";
  #baseRtt = Number.POSITIVE_INFINITY;
  #rttSum = 0;
  #samples = 0;
  #roundEnd = 0;
  /** alpha_i: segments of this subflow that shall wait. */
  #target = totalBacklog;
  /** The smallest queueing delay since the queue was last drained; 0: none is known. */
  #queueingDelay = 0;
  /** The window was the limit, and not the application, when data were last acknowledged (RFC 7661 §4.3). */
  #windowLimited = true;

  get backlogTarget(): number {
    return this.#target;
  }

  /** Windows change once a round trip, by its mean RTT, not with each acknowledgement. */
  protected override coupledIncrease(_bytes: number): number {
    return 0;
  }

  protected override avoidanceIncrease(_bytes: number, _smoothedRttMicroseconds: number): number {
    return 0;
  }

  override onAcknowledged(bytes: number, windowLimited: boolean, smoothedRttMicroseconds: number, now: number): void {
    this.#windowLimited = windowLimited;
    super.onAcknowledged(bytes, windowLimited, smoothedRttMicroseconds, now);
  }

  override onRttSample(rttMicroseconds: number, acknowledged: number, sendNext: number): void {
    this.#baseRtt = Math.min(this.#baseRtt, rttMicroseconds);
    this.#rttSum += rttMicroseconds;
    this.#samples++;
    if (acknowledged < this.#roundEnd) return;
    this.#roundEnd = sendNext;
    const samples = this.#samples;
    const rtt = this.#rttSum / samples;
    this.#rttSum = 0;
    this.#samples = 0;
    const inSlowStart = this.congestionWindow < this.slowStartThreshold;
    if (!this.#windowLimited) return;
    if (samples < minimumSamples) {
      // Too few to tell: as Reno.
      if (!inSlowStart) this.congestionWindow += this.maximumSegmentSize;
    } else if (inSlowStart) this.#watchSlowStart(rtt);
    else this.#adjust(rtt);
  }

  override restart(): void {
    super.restart();
    this.#baseRtt = Number.POSITIVE_INFINITY;
    this.#queueingDelay = 0;
  }

  /** Segments of this subflow that wait: window · (1 - base RTT / RTT). */
  #backlog(rtt: number): number {
    return ((this.congestionWindow / this.maximumSegmentSize) * (rtt - this.#baseRtt)) / rtt;
  }

  #watchSlowStart(rtt: number): void {
    if (this.#backlog(rtt) <= slowStartBacklog) return;
    // What the path holds without a queue, and one segment.
    this.limit((this.congestionWindow * this.#baseRtt) / rtt + this.maximumSegmentSize);
  }

  #adjust(rtt: number): void {
    const backlog = this.#backlog(rtt);
    const { totalRate, rate } = this;
    if (backlog >= this.#target && totalRate > 0)
      this.#target = Math.max(smallestBacklog, totalBacklog * (this.isCoupled ? rate / totalRate : 1));
    if (backlog > this.#target) this.#setWindow(this.congestionWindow - this.maximumSegmentSize);
    else if (backlog < this.#target) this.#setWindow(this.congestionWindow + this.maximumSegmentSize);
    if (backlog >= this.#target) this.#drainIfGrown(rtt);
  }

  /** A queue that has doubled while this subflow kept its backlog is drained, so that the base RTT can be seen (§IV-C). Below the target delays are noise. */
  #drainIfGrown(rtt: number): void {
    const queueing = rtt - this.#baseRtt;
    if (this.#queueingDelay === 0 || queueing < this.#queueingDelay) this.#queueingDelay = queueing;
    if (queueing < 2 * this.#queueingDelay) return;
    this.#setWindow((this.congestionWindow * this.#baseRtt) / (2 * rtt));
    this.#queueingDelay = 0;
  }

  #setWindow(bytes: number): void {
    this.congestionWindow = Math.max(2 * this.maximumSegmentSize, bytes);
    this.slowStartThreshold = Math.min(this.slowStartThreshold, this.congestionWindow);
  }
}

import { type CongestionControl, initialWindow } from "./congestion-control.ts";

/** Slow start and congestion avoidance of RFC 5681, counting bytes (RFC 3465, L = 2); recovery as NewReno (RFC 6582) is the sender's. */
export class Reno implements CongestionControl {
  readonly name: string = "reno";
  congestionWindow = initialWindow(536);
  slowStartThreshold: number = Number.POSITIVE_INFINITY;
  protected maximumSegmentSize = 536;
  #started = false;
  /** Before the latest reduction. */
  #windowBefore = 0;
  #thresholdBefore = 0;

  setMaximumSegmentSize(bytes: number): void {
    if (bytes === this.maximumSegmentSize && this.#started) return;
    this.maximumSegmentSize = bytes;
    if (!this.#started) this.congestionWindow = initialWindow(bytes);
    this.#started = true;
  }

  onAcknowledged(bytes: number, windowLimited: boolean, smoothedRttMicroseconds: number, _now: number): void {
    if (!windowLimited) return;
    if (this.congestionWindow < this.slowStartThreshold) {
      // One acknowledgement may stand for a whole super-packet (GRO), so the growth is the bytes, not two segments (RFC 9406 §4.2, as for paced senders).
      const growth = Math.min(bytes, this.slowStartThreshold - this.congestionWindow);
      this.congestionWindow += growth;
      bytes -= growth;
      if (bytes === 0) return;
    }
    this.congestionWindow += this.avoidanceIncrease(bytes, smoothedRttMicroseconds);
  }

  /** Bytes by which congestion avoidance opens the window for `bytes` acknowledged: a segment per window (RFC 5681 §3.1, equation 3). */
  protected avoidanceIncrease(bytes: number, _smoothedRttMicroseconds: number): number {
    return (bytes * this.maximumSegmentSize) / this.congestionWindow;
  }

  /** RFC 5681 §3.1, equation 4, but for its lower bound. */
  protected windowAfterLoss(window: number): number {
    return window / 2;
  }

  protected get smallestWindow(): number {
    return 2 * this.maximumSegmentSize;
  }

  onRttSample(_rttMicroseconds: number, _acknowledged: number, _sendNext: number): void {}

  onLoss(flightSize: number): void {
    this.#remember();
    this.slowStartThreshold = this.#reduced(flightSize);
    this.congestionWindow = this.slowStartThreshold;
  }

  onRetransmissionTimeout(flightSize: number, repeated: boolean): void {
    if (!repeated) {
      this.#remember();
      this.slowStartThreshold = this.#reduced(flightSize);
    }
    this.congestionWindow = this.maximumSegmentSize;
  }

  undo(): void {
    this.congestionWindow = Math.max(this.congestionWindow, this.#windowBefore);
    this.slowStartThreshold = Math.max(this.slowStartThreshold, this.#thresholdBefore);
  }

  onIdle(): void {
    this.congestionWindow = Math.min(this.congestionWindow, initialWindow(this.maximumSegmentSize));
  }

  restart(): void {
    this.congestionWindow = initialWindow(this.maximumSegmentSize);
    this.slowStartThreshold = Number.POSITIVE_INFINITY;
  }

  limit(bytes: number): void {
    const floor = 2 * this.maximumSegmentSize;
    if (bytes >= this.congestionWindow) return;
    this.congestionWindow = Math.max(floor, bytes);
    this.slowStartThreshold = this.congestionWindow;
  }

  setActive(_active: boolean): void {}

  release(): void {}

  #remember(): void {
    this.#windowBefore = this.congestionWindow;
    this.#thresholdBefore = this.slowStartThreshold;
  }

  #reduced(flightSize: number): number {
    const window = Math.min(flightSize, this.congestionWindow);
    return Math.max(Math.floor(this.windowAfterLoss(window)), this.smallestWindow);
  }
}

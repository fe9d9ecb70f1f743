/** CUBIC (RFC 9438) with fast convergence, its Reno-friendly region, and HyStart++ (RFC 9406). Uncoupled: each subflow is a TCP of its own. */

import { type CongestionControl, initialWindow } from "./congestion-control.ts";
import { HyStart } from "./hystart.ts";

/** RFC 9438 §4.1, §4.6: C in segments per second cubed, and the multiplicative decrease. */
const scalingConstant = 0.4;
const decreaseFactor = 0.7;
/** RFC 9438 §4.3: makes the Reno-friendly region take what Reno takes on average. */
const renoIncrease = (3 * (1 - decreaseFactor)) / (1 + decreaseFactor);
/** RFC 9438 §4.2: the window grows at most by half in a round trip. */
const targetLimit = 1.5;

/** What a reduction changed: it may have been for nothing. */
interface Reduction {
  congestionWindow: number;
  slowStartThreshold: number;
  maximumWindow: number;
  inflection: number;
  epochStart: number;
  epochWindow: number;
  renoWindow: number;
}

export class Cubic implements CongestionControl {
  readonly name = "cubic";
  congestionWindow = initialWindow(536);
  slowStartThreshold: number = Number.POSITIVE_INFINITY;
  #hystart = new HyStart();
  #maximumSegmentSize = 536;
  #started = false;
  /** W_max, in bytes. */
  #maximumWindow = 0;
  /** K, in seconds. */
  #inflection = 0;
  /** When congestion avoidance began; -1: it is yet to begin. */
  #epochStart = -1;
  #epochWindow = 0;
  /** W_est. */
  #renoWindow = 0;
  #lastAcknowledgement = 0;
  readonly #before: Reduction = {
    congestionWindow: 0,
    slowStartThreshold: 0,
    maximumWindow: 0,
    inflection: 0,
    epochStart: -1,
    epochWindow: 0,
    renoWindow: 0,
  };

  setMaximumSegmentSize(bytes: number): void {
    if (bytes === this.#maximumSegmentSize && this.#started) return;
    this.#maximumSegmentSize = bytes;
    if (!this.#started) this.congestionWindow = initialWindow(bytes);
    this.#started = true;
  }

  onRttSample(rttMicroseconds: number, acknowledged: number, sendNext: number): void {
    if (this.congestionWindow >= this.slowStartThreshold) return;
    this.#hystart.onRttSample(rttMicroseconds, acknowledged, sendNext);
    if (this.#hystart.phase === "finished" && this.slowStartThreshold === Number.POSITIVE_INFINITY)
      this.slowStartThreshold = this.congestionWindow;
  }

  onAcknowledged(bytes: number, windowLimited: boolean, smoothedRttMicroseconds: number, now: number): void {
    const sinceLast = now - this.#lastAcknowledgement;
    this.#lastAcknowledgement = now;
    if (!windowLimited) {
      // RFC 9438 §5.8: time in which the application was the limit does not open the window.
      if (this.#epochStart >= 0) this.#epochStart += sinceLast;
      return;
    }
    if (this.congestionWindow < this.slowStartThreshold) {
      const growth = Math.min(this.#hystart.growth(bytes), this.slowStartThreshold - this.congestionWindow);
      this.congestionWindow += growth;
      return;
    }
    this.#avoidCongestion(bytes, smoothedRttMicroseconds, now);
  }

  onLoss(flightSize: number): void {
    this.#remember();
    const window = this.congestionWindow;
    // RFC 9438 §4.7: what is below the last maximum leaves room for those who came since.
    this.#maximumWindow = window < this.#maximumWindow ? (window * (1 + decreaseFactor)) / 2 : window;
    this.slowStartThreshold = Math.max(
      Math.floor(Math.min(flightSize, window) * decreaseFactor),
      2 * this.#maximumSegmentSize,
    );
    this.congestionWindow = this.slowStartThreshold;
    this.#epochStart = -1;
    this.#hystart.finish();
  }

  onRetransmissionTimeout(flightSize: number, repeated: boolean): void {
    if (!repeated) this.onLoss(flightSize);
    this.congestionWindow = this.#maximumSegmentSize;
    this.#epochStart = -1;
  }

  undo(): void {
    const before = this.#before;
    if (before.congestionWindow <= this.congestionWindow) return;
    this.congestionWindow = before.congestionWindow;
    this.slowStartThreshold = before.slowStartThreshold;
    this.#maximumWindow = before.maximumWindow;
    this.#inflection = before.inflection;
    this.#epochStart = before.epochStart;
    this.#epochWindow = before.epochWindow;
    this.#renoWindow = before.renoWindow;
  }

  onIdle(): void {
    this.congestionWindow = Math.min(this.congestionWindow, initialWindow(this.#maximumSegmentSize));
    this.#epochStart = -1;
  }

  restart(): void {
    this.congestionWindow = initialWindow(this.#maximumSegmentSize);
    this.slowStartThreshold = Number.POSITIVE_INFINITY;
    this.#hystart = new HyStart();
    this.#maximumWindow = 0;
    this.#epochStart = -1;
  }

  limit(bytes: number): void {
    if (bytes >= this.congestionWindow) return;
    this.congestionWindow = Math.max(2 * this.#maximumSegmentSize, bytes);
    this.slowStartThreshold = this.congestionWindow;
    this.#epochStart = -1;
  }

  setActive(_active: boolean): void {}

  release(): void {}

  /** RFC 9438 §4.2–§4.5. */
  #avoidCongestion(bytes: number, smoothedRttMicroseconds: number, now: number): void {
    const segment = this.#maximumSegmentSize;
    if (this.#epochStart < 0) this.#beginEpoch(now);
    const window = this.congestionWindow;
    const ahead = (now - this.#epochStart + smoothedRttMicroseconds) / 1e6;
    const target = Math.max(window, Math.min(this.#windowAt(ahead), targetLimit * window));
    // Once it has reached what it was before the reduction, as fast as Reno (RFC 9438 §4.3).
    const increase = this.#renoWindow < this.#before.congestionWindow ? renoIncrease : 1;
    this.#renoWindow += (increase * bytes * segment) / window;
    const elapsed = (now - this.#epochStart) / 1e6;
    if (this.#windowAt(elapsed) < this.#renoWindow) this.congestionWindow = Math.max(window, this.#renoWindow);
    else this.congestionWindow += ((target - window) / window) * bytes;
  }

  #beginEpoch(now: number): void {
    this.#epochStart = now;
    this.#epochWindow = this.congestionWindow;
    this.#renoWindow = this.congestionWindow;
    if (this.#maximumWindow < this.congestionWindow) this.#maximumWindow = this.congestionWindow;
    const segments = (this.#maximumWindow - this.#epochWindow) / this.#maximumSegmentSize;
    this.#inflection = Math.cbrt(segments / scalingConstant);
  }

  /** W_cubic(t): RFC 9438 §4.2, figure 1, in bytes. */
  #windowAt(seconds: number): number {
    return scalingConstant * (seconds - this.#inflection) ** 3 * this.#maximumSegmentSize + this.#maximumWindow;
  }

  #remember(): void {
    const before = this.#before;
    before.congestionWindow = this.congestionWindow;
    before.slowStartThreshold = this.slowStartThreshold;
    before.maximumWindow = this.#maximumWindow;
    before.inflection = this.#inflection;
    before.epochStart = this.#epochStart;
    before.epochWindow = this.#epochWindow;
    before.renoWindow = this.#renoWindow;
  }
}

import { Coupled } from "./coupled.ts";

/**
 * The fully coupled algorithm (Kelly and Voice 2005, Han et al. 2006; COUPLED of Wischik et al., NSDI'11 §2.2): all subflows are one window, of which each takes a part. Everything moves to
 * the least congested path, and hardly returns from it, which is why linked increases exist.
 */
export class FullyCoupled extends Coupled {
  override readonly name: string = "fully-coupled";

  /** 1 / w_total for each acknowledgement. */
  protected override coupledIncrease(bytes: number): number {
    return (bytes * this.maximumSegmentSize) / this.totalWindow;
  }

  /** w_total / 2 less for each loss, down to one segment. */
  protected override windowAfterLoss(window: number): number {
    if (!this.isCoupled) return super.windowAfterLoss(window);
    return window - this.totalWindow / 2;
  }

  protected override get smallestWindow(): number {
    return this.isCoupled ? this.maximumSegmentSize : super.smallestWindow;
  }
}

import { Coupled } from "./coupled.ts";

/** Half the window at least, three quarters at most. */
const largestDecrease = 1.5;

/** The balanced linked adaptation (Peng et al., IEEE/ACM ToN 2016; draft-walid-mptcp-congestion-control-04): between friendliness and responsiveness. */
export class Balia extends Coupled {
  override readonly name: string = "balia";

  /** max(x_k) / x_r, where x is window / RTT: how much faster the fastest path is. */
  get alpha(): number {
    if (!this.isCoupled) return 1;
    let best = 0;
    for (const { rate } of this.group.members) best = Math.max(best, rate);
    return best / this.rate;
  }

  /** §2: x_r / rtt_r / (sum(x_k))² · (1 + alpha) / 2 · (4 + alpha) / 5. */
  protected override coupledIncrease(bytes: number): number {
    const { alpha, rate, smoothedRtt } = this;
    const linked = rate / smoothedRtt / this.totalRate ** 2;
    return linked * ((1 + alpha) / 2) * ((4 + alpha) / 5) * bytes * this.maximumSegmentSize;
  }

  /** §2: w_r / 2 · min(alpha, 1.5) less. */
  protected override windowAfterLoss(window: number): number {
    return window - (window / 2) * Math.min(this.alpha, largestDecrease);
  }
}

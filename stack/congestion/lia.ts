import { Coupled } from "./coupled.ts";

/** Linked increases (RFC 6356): the connection takes no more of a shared bottleneck than one TCP, and moves its load to the better path. */
export class Lia extends Coupled {
  override readonly name: string = "lia";

  /** RFC 6356 §3: min(alpha · bytes · MSS / total window, bytes · MSS / own window). */
  protected override coupledIncrease(bytes: number): number {
    let best = 0;
    let totalRate = 0;
    for (const { congestionWindow, smoothedRtt } of this.group.members) {
      if (smoothedRtt === 0) continue;
      best = Math.max(best, congestionWindow / (smoothedRtt * smoothedRtt));
      totalRate += congestionWindow / smoothedRtt;
    }
    // alpha / total = max(cwnd_i / rtt_i²) / (sum(cwnd_i / rtt_i))².
    const linked = best / totalRate ** 2;
    return Math.min(linked, 1 / this.congestionWindow) * bytes * this.maximumSegmentSize;
  }
}

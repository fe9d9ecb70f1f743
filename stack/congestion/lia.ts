import { Reno } from "./reno.ts";

/** The subflows of one connection whose windows are coupled. */
export class CoupledGroup {
  readonly members: Set<Lia> = new Set<Lia>();
}

/** Linked increases (RFC 6356): the connection takes no more of a shared bottleneck than one TCP, and moves its load to the better path. */
export class Lia extends Reno {
  override readonly name: string = "lia";
  readonly #group: CoupledGroup;
  #smoothedRtt = 0;

  constructor(group: CoupledGroup) {
    super();
    this.#group = group;
    group.members.add(this);
  }

  /** RFC 6356 §3: min(alpha · bytes · MSS / total window, bytes · MSS / own window). */
  protected override avoidanceIncrease(bytes: number, smoothedRttMicroseconds: number): number {
    this.#smoothedRtt = smoothedRttMicroseconds;
    const uncoupled = (bytes * this.maximumSegmentSize) / this.congestionWindow;
    const { members } = this.#group;
    if (members.size < 2 || !members.has(this) || smoothedRttMicroseconds === 0) return uncoupled;
    let total = 0;
    let best = 0;
    let rates = 0;
    for (const member of members) {
      const window = member.congestionWindow;
      total += window;
      if (member.#smoothedRtt === 0) continue;
      best = Math.max(best, window / (member.#smoothedRtt * member.#smoothedRtt));
      rates += window / member.#smoothedRtt;
    }
    // alpha / total = max(cwnd_i / rtt_i²) / (sum(cwnd_i / rtt_i))².
    return Math.min((best / (rates * rates)) * bytes * this.maximumSegmentSize, uncoupled);
  }

  override onAcknowledged(bytes: number, windowLimited: boolean, smoothedRttMicroseconds: number, now: number): void {
    this.#smoothedRtt = smoothedRttMicroseconds;
    super.onAcknowledged(bytes, windowLimited, smoothedRttMicroseconds, now);
  }

  override setActive(active: boolean): void {
    if (active) this.#group.members.add(this);
    else this.#group.members.delete(this);
  }

  override release(): void {
    this.#group.members.delete(this);
  }
}

import { Coupled } from "./coupled.ts";

/**
 * The opportunistic linked-increases algorithm (Khalili et al., CoNEXT'12; draft-khalili-mptcp-congestion-control-05): Kelly and Voice's increase, and a term alpha that moves
 * window from paths with the largest ones to those that lose least, so that a connection takes nothing from others where it gains nothing itself.
 */
export class Olia extends Coupled {
  override readonly name: string = "olia";
  /** Bytes acknowledged between the latest two losses, and since the latest. */
  #betweenLosses = 0;
  #sinceLoss = 0;

  /** (l_r)² / rtt_r: the square of the bytes between losses estimates the inverse of the loss probability. */
  get quality(): number {
    if (this.smoothedRtt === 0) return 0;
    return Math.max(this.#betweenLosses, this.#sinceLoss) ** 2 / this.smoothedRtt;
  }

  override onAcknowledged(bytes: number, windowLimited: boolean, smoothedRttMicroseconds: number, now: number): void {
    this.#sinceLoss += bytes;
    super.onAcknowledged(bytes, windowLimited, smoothedRttMicroseconds, now);
  }

  override onLoss(flightSize: number): void {
    this.#noteLoss();
    super.onLoss(flightSize);
  }

  override onRetransmissionTimeout(flightSize: number, repeated: boolean): void {
    if (!repeated) this.#noteLoss();
    super.onRetransmissionTimeout(flightSize, repeated);
  }

  /** §2.2: (cwnd_r / rtt_r² / (sum(cwnd_p / rtt_p))² + alpha_r / cwnd_r) · MSS · bytes. */
  protected override coupledIncrease(bytes: number): number {
    const window = this.congestionWindow;
    const linked = window / this.smoothedRtt ** 2 / this.totalRate ** 2;
    const increase = (linked + this.alpha / window) * bytes * this.maximumSegmentSize;
    return Math.max(increase, this.smallestWindow - window);
  }

  /** §2.1: beside others a path that is not worth it keeps one segment, not two. */
  protected override get smallestWindow(): number {
    return this.isCoupled ? this.maximumSegmentSize : super.smallestWindow;
  }

  /** §2.3: a share for the best paths that do not have the largest window ("collected"), taken from those that have it. */
  get alpha(): number {
    let bestQuality = 0;
    let largestWindow = 0;
    for (const member of this.group.members) {
      bestQuality = Math.max(bestQuality, qualityOf(member));
      largestWindow = Math.max(largestWindow, member.congestionWindow);
    }
    let collected = 0;
    let largest = 0;
    for (const member of this.group.members) {
      if (member.congestionWindow === largestWindow) largest++;
      else if (qualityOf(member) === bestQuality) collected++;
    }
    if (collected === 0) return 0;
    const share = 1 / this.group.members.size;
    if (this.congestionWindow === largestWindow) return -share / largest;
    return this.quality === bestQuality ? share / collected : 0;
  }

  #noteLoss(): void {
    this.#betweenLosses = this.#sinceLoss;
    this.#sinceLoss = 0;
  }
}

function qualityOf(member: Coupled): number {
  return member instanceof Olia ? member.quality : 0;
}

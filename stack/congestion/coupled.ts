import { Reno } from "./reno.ts";

/** The subflows of one connection whose windows are coupled. */
export class CoupledGroup {
  readonly members: Set<Coupled> = new Set<Coupled>();
}

/** What the coupled algorithms share: Reno's slow start and reactions, and the knowledge of the other subflows. They differ in how they increase and decrease. */
export abstract class Coupled extends Reno {
  protected readonly group: CoupledGroup;
  /** Microseconds; 0: not measured. */
  smoothedRtt = 0;

  constructor(group: CoupledGroup) {
    super();
    this.group = group;
    group.members.add(this);
  }

  /** Bytes a microsecond; 0: not known. */
  get rate(): number {
    return this.smoothedRtt === 0 ? 0 : this.congestionWindow / this.smoothedRtt;
  }

  /** There are others, and what they do is known: otherwise this is a TCP like any other. */
  protected get isCoupled(): boolean {
    const { members } = this.group;
    return members.size > 1 && members.has(this) && this.smoothedRtt > 0;
  }

  override onAcknowledged(bytes: number, windowLimited: boolean, smoothedRttMicroseconds: number, now: number): void {
    this.smoothedRtt = smoothedRttMicroseconds;
    super.onAcknowledged(bytes, windowLimited, smoothedRttMicroseconds, now);
  }

  protected override avoidanceIncrease(bytes: number, smoothedRttMicroseconds: number): number {
    return this.isCoupled ? this.coupledIncrease(bytes) : super.avoidanceIncrease(bytes, smoothedRttMicroseconds);
  }

  /** Bytes by which congestion avoidance opens the window for `bytes` acknowledged, beside others. */
  protected abstract coupledIncrease(bytes: number): number;

  /** The sum over all subflows of window / RTT, bytes a microsecond. */
  protected get totalRate(): number {
    let total = 0;
    for (const member of this.group.members) total += member.rate;
    return total;
  }

  protected get totalWindow(): number {
    let total = 0;
    for (const { congestionWindow } of this.group.members) total += congestionWindow;
    return total;
  }

  override setActive(active: boolean): void {
    if (active) this.group.members.add(this);
    else this.group.members.delete(this);
  }

  override release(): void {
    this.group.members.delete(this);
  }
}

import { Coupled } from "./coupled.ts";

/**
 * Equally weighted TCP (Honda et al., PFLDNeT'09): each of n subflows is a TCP of weight 1/n, wherever it runs. Over a shared bottleneck they take together what
 * one TCP takes; unlike the linked algorithms they do not move load to better paths.
 */
export class Ewtcp extends Coupled {
  override readonly name: string = "ewtcp";

  /** An increase of a segments a round trip has its equilibrium at a window of sqrt(2 a / p): 1/n of TCP's for a = 1/n². */
  protected override coupledIncrease(bytes: number): number {
    return (bytes * this.maximumSegmentSize) / this.congestionWindow / this.group.members.size ** 2;
  }
}

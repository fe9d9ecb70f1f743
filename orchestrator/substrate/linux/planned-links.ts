/** The links of a lab as one control, whatever each is made of. */
import type { LinkDirectionConfig } from "../../path/link-direction.ts";
import type { Plan, PlannedLink } from "../../plan/plan.ts";
import type { LabCommand, LabObserver, LabProcess, LinkControl, LinkQuality } from "../substrate.ts";

/** What a realisation may use of the lab. */
export interface MiddleAccess {
  runInMiddle(script: string): Promise<string>;
  spawnInMiddle(command: LabCommand): Promise<LabProcess>;
}

export class PlannedLinks implements LinkControl {
  readonly #plan: Plan;
  constructor(plan: Plan, observer: LabObserver) {
    this.#plan = plan;
  }
  async start(access: MiddleAccess): Promise<void> {}
  stop(): void {}
  async blackhole(link: string): Promise<void> {}
  async restore(link: string): Promise<void> {}
  async set(link: string, direction: "forward" | "backward", config: LinkDirectionConfig): Promise<void> {}
  async sampleEvery(microseconds: number): Promise<void> {}
  async quality(): Promise<LinkQuality> {
    throw new Error();
  }
}

/** The links of a lab as one control, whatever each is made of. */
import type { LinkDirectionConfig } from "../../path/link-direction.ts";
import type { Plan, PlannedLink } from "../../plan/plan.ts";
import type { LabObserver, LinkQuality } from "../substrate.ts";
import { EmulatorLinks } from "./emulator-links.ts";
import type { LinkRealisation, MiddleAccess } from "./link-realisation.ts";
import { NetemLinks } from "./netem-links.ts";

export class PlannedLinks implements LinkRealisation {
  readonly #links: readonly PlannedLink[];
  readonly #realisations = new Map<PlannedLink["realisation"], LinkRealisation>();

  constructor(plan: Plan, observer: LabObserver) {
    this.#links = plan.links;
    const emulated = plan.links.filter(({ realisation }) => realisation === "emulated");
    const netem = plan.links.filter(({ realisation }) => realisation === "netem");
    if (emulated.length > 0) this.#realisations.set("emulated", new EmulatorLinks(emulated, observer));
    if (netem.length > 0) this.#realisations.set("netem", new NetemLinks(netem, observer));
  }

  async start(access: MiddleAccess): Promise<void> {
    for (const realisation of this.#realisations.values()) await realisation.start(access);
  }

  stop(): void {
    for (const realisation of this.#realisations.values()) realisation.stop();
  }

  async blackhole(link: string): Promise<void> {
    await this.#realisationOf(link).blackhole(link);
  }

  async restore(link: string): Promise<void> {
    await this.#realisationOf(link).restore(link);
  }

  async set(link: string, direction: "forward" | "backward", config: LinkDirectionConfig): Promise<void> {
    await this.#realisationOf(link).set(link, direction, config);
  }

  async beginTraces(timeMicroseconds: number): Promise<void> {
    for (const realisation of this.#realisations.values()) await realisation.beginTraces(timeMicroseconds);
  }

  async sampleEvery(microseconds: number): Promise<void> {
    for (const realisation of this.#realisations.values()) await realisation.sampleEvery(microseconds);
  }

  /** Of the emulator where there is one: the kernel's own links have no lateness that anybody could tell. */
  async quality(): Promise<LinkQuality> {
    const realisation = this.#realisations.get("emulated") ?? this.#realisations.get("netem");
    if (realisation !== undefined) return realisation.quality();
    return {
      realisation: "direct",
      scheduling: "kernel",
      releases: 0,
      latenessMicroseconds: { p50: 0, p99: 0, max: 0 },
    };
  }

  #realisationOf(name: string): LinkRealisation {
    const link = this.#links.find((candidate) => candidate.name === name);
    if (link === undefined) throw new Error(`the plan has no link ${name}`);
    const realisation = this.#realisations.get(link.realisation);
    if (realisation === undefined) {
      throw new Error(`the link ${name} is direct: nothing stands between its ends that could drop or delay packets`);
    }
    return realisation;
  }
}

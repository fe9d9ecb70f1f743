/** Links that the kernel's netem shapes: a bridge a link in the middle namespace, a queueing discipline on each of its ports. */
import { setInterval, clearInterval } from "node:timers";
import { monotonicMicroseconds } from "../../../stack/io/clock.ts";
import type { LinkDirectionConfig } from "../../path/link-direction.ts";
import type { PlannedLink } from "../../plan/plan.ts";
import type { LabObserver, LinkQuality } from "../substrate.ts";
import { netemBlackholeLine, netemLines } from "./netem.ts";
import type { LinkRealisation, MiddleAccess } from "./link-realisation.ts";

type Direction = "forward" | "backward";
const directions: readonly Direction[] = ["forward", "backward"];

interface ShapedDirection {
  readonly link: string;
  readonly direction: Direction;
  /** The port that packets of this direction leave through. */
  readonly device: string;
  config: LinkDirectionConfig;
  /** Drops while it was a black hole, which netem counts with its losses. */
  blackholeDrops: number;
  /** netem's count of drops when the black hole began. */
  blackholeSince: number | undefined;
}

interface QdiscStatistics {
  readonly handle: string;
  readonly bytes: number;
  readonly packets: number;
  readonly drops: number;
  readonly backlog: number;
}

export class NetemLinks implements LinkRealisation {
  readonly #links: readonly PlannedLink[];
  readonly #observer: LabObserver;
  readonly #directions: readonly ShapedDirection[];
  #access: MiddleAccess | undefined;
  #timer: NodeJS.Timeout | undefined;

  constructor(links: readonly PlannedLink[], observer: LabObserver) {
    this.#links = links;
    this.#observer = observer;
    this.#directions = links.flatMap((link) =>
      directions.map((direction) => ({
        link: link.name,
        direction,
        device: portOf(link, direction === "forward" ? 1 : 0),
        config: link[direction],
        blackholeDrops: 0,
        blackholeSince: undefined,
      })),
    );
  }

  async start(access: MiddleAccess): Promise<void> {
    this.#access = access;
    const bridges = this.#links.flatMap((link, index) => [
      `link add name bridge${index} type bridge stp_state 0 forward_delay 0 mcast_snooping 0`,
      ...([0, 1] as const).map((end) => `link set dev ${portOf(link, end)} master bridge${index}`),
      `link set dev bridge${index} up`,
    ]);
    await access.runInMiddle(`ip -batch - <<'END'\n${bridges.join("\n")}\nEND`);
    await this.#tc(this.#directions.flatMap(({ device, config }) => netemLines(device, config)));
  }

  stop(): void {
    clearInterval(this.#timer);
  }

  async blackhole(link: string): Promise<void> {
    const shaped = this.#of(link);
    for (const one of shaped) one.blackholeSince ??= netemDrops(await this.#statistics(one.device));
    await this.#tc(shaped.map(({ device }) => netemBlackholeLine(device)));
  }

  async restore(link: string): Promise<void> {
    const shaped = this.#of(link);
    await this.#tc(shaped.flatMap(({ device, config }) => netemLines(device, config, "change")));
    for (const one of shaped) {
      if (one.blackholeSince === undefined) continue;
      one.blackholeDrops += netemDrops(await this.#statistics(one.device)) - one.blackholeSince;
      one.blackholeSince = undefined;
    }
  }

  async set(link: string, direction: Direction, config: LinkDirectionConfig): Promise<void> {
    for (const shaped of this.#of(link)) {
      if (shaped.direction !== direction) continue;
      shaped.config = config;
      if (shaped.blackholeSince === undefined) await this.#tc(netemLines(shaped.device, config, "change"));
    }
  }

  /** The plan gives a link with a trace to the emulator. */
  async beginTraces(): Promise<void> {}

  async sampleEvery(microseconds: number): Promise<void> {
    clearInterval(this.#timer);
    await this.#sample();
    if (microseconds === 0) return;
    let busy = false;
    this.#timer = setInterval(() => {
      if (busy) return;
      busy = true;
      this.#sample()
        .catch((error: Error) => this.#observer.problem("netem", error.message))
        .finally(() => (busy = false));
    }, microseconds / 1000);
  }

  async quality(): Promise<LinkQuality> {
    return {
      realisation: "netem",
      scheduling: "kernel",
      releases: 0,
      latenessMicroseconds: { p50: 0, p99: 0, max: 0 },
    };
  }

  async #sample(): Promise<void> {
    for (const { link, direction, device, blackholeDrops, blackholeSince } of this.#directions) {
      const statistics = await this.#statistics(device);
      const drops = netemDrops(statistics);
      const dropsBlackhole = blackholeDrops + (blackholeSince === undefined ? 0 : drops - blackholeSince);
      const queue = statistics.filter(({ handle }) => handle !== "1:");
      const carried = queue[0] ?? statistics[0];
      this.#observer.linkSample({
        time: monotonicMicroseconds(),
        link,
        direction,
        packets: carried?.packets ?? 0,
        bytes: carried?.bytes ?? 0,
        dropsQueue: queue.reduce((sum, one) => Math.max(sum, one.drops), 0),
        dropsLoss: drops - dropsBlackhole,
        dropsBlackhole,
        queueBytes: queue[0]?.backlog ?? 0,
      });
    }
  }

  async #statistics(device: string): Promise<QdiscStatistics[]> {
    return JSON.parse(await this.#middle.runInMiddle(`tc -s -j qdisc show dev ${device}`)) as QdiscStatistics[];
  }

  async #tc(lines: readonly string[]): Promise<void> {
    await this.#middle.runInMiddle(`tc -batch - <<'END'\n${lines.join("\n")}\nEND`);
  }

  get #middle(): MiddleAccess {
    if (this.#access === undefined) throw new Error("the links have not been started");
    return this.#access;
  }

  #of(link: string): ShapedDirection[] {
    return this.#directions.filter((shaped) => shaped.link === link);
  }
}

function netemDrops(statistics: readonly QdiscStatistics[]): number {
  return statistics.find(({ handle }) => handle === "1:")?.drops ?? 0;
}

function portOf(link: PlannedLink, end: 0 | 1): string {
  const device = link.ends[end].emulatorInterface;
  if (device === undefined)
    throw new Error(`the plan's link ${link.name} has no interface in the middle towards ${link.ends[end].node}`);
  return device;
}

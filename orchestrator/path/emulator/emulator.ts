import { monotonicMicroseconds, type SchedulingReport } from "../../../stack/io/clock.ts";
import { interfaceInfo } from "../../../stack/io/link-events.ts";
import { frameOffset, PacketMemory, PacketSocket } from "../../../stack/io/packet-socket.ts";
import { PreciseTimer } from "../../../stack/io/precise-timer.ts";
import { EmulatedDirection } from "./emulated-direction.ts";
import { FramePool } from "./frame-pool.ts";
import { LatenessHistogram } from "./lateness-histogram.ts";
import type {
  EmulatedLink,
  EmulatorConfig,
  EmulatorControl,
  EmulatorQuality,
  LinkDirectionName,
  LinkStats,
} from "./protocol.ts";

/** Frames read from one socket in one go. */
const batchFrames = 64;
const defaultHeldFrames = 65_536;
/** Ethernet header and one VLAN tag. */
const linkLayerBytes = 18;

type RunningLink = {
  name: string;
  sockets: PacketSocket[];
  forward: EmulatedDirection;
  backward: EmulatedDirection;
};

export type EmulatorObserver = {
  /** An interface of a link went down (ENETDOWN); frames flow again when it comes up. */
  interfaceError(interfaceName: string, code: string): void;
  /** A direction begins to lose frames for a reason that is not in its configuration. */
  warning(link: string, direction: LinkDirectionName, message: string): void;
};

/** All emulated links of a lab: their sockets, their elements and the one timer that releases frames. */
export class Emulator {
  readonly #links = new Map<string, RunningLink>();
  readonly #directions: EmulatedDirection[] = [];
  readonly #lateness = new LatenessHistogram();
  readonly #scheduling: SchedulingReport;
  readonly #timer: PreciseTimer;
  readonly #memory: PacketMemory;
  readonly #pool: FramePool;
  readonly #observer: EmulatorObserver;

  /**
   * @throws Error with a code when an interface or namespace is not there, or two links have one name
   */
  constructor(config: EmulatorConfig, scheduling: SchedulingReport, observer: EmulatorObserver) {
    this.#scheduling = scheduling;
    this.#observer = observer;
    const ends = config.links.flatMap((link) => link.ends);
    const mtus = ends.map((end) => interfaceInfo(end.namespacePath, end.interfaceName).mtu);
    const slotBytes = Math.ceil((frameOffset + linkLayerBytes + Math.max(...mtus, 0)) / 64) * 64;
    const slots = (config.heldFrames ?? defaultHeldFrames) + ends.length * batchFrames;
    this.#memory = new PacketMemory(slots, slotBytes);
    this.#pool = new FramePool(slots);
    this.#timer = new PreciseTimer(() => this.#advance());
    try {
      for (const link of config.links) this.#open(link);
    } catch (error) {
      this.close();
      throw error;
    }
  }

  get quality(): EmulatorQuality {
    const { total, max } = this.#lateness;
    return {
      scheduling: this.#scheduling,
      releases: total,
      latenessMicroseconds: { p50: this.#lateness.quantile(0.5), p99: this.#lateness.quantile(0.99), max },
    };
  }

  stats(): LinkStats[] {
    return [...this.#links.values()].flatMap(({ name, forward, backward, sockets: [first, second] }) => [
      directionStats(name, "forward", forward, first!),
      directionStats(name, "backward", backward, second!),
    ]);
  }

  /** @throws Error when there is no such link */
  control(control: Extract<EmulatorControl, { link: string }>): void {
    const link = this.#links.get(control.link);
    if (link === undefined)
      throw new Error(`no link "${control.link}" here, only ${[...this.#links.keys()].join(", ")}`);
    const names = control.direction === "both" ? (["forward", "backward"] as const) : [control.direction];
    for (const { link: elements } of names.map((name) => link[name])) {
      if (control.do === "set") elements.configure(control.config, monotonicMicroseconds());
      else elements.blackhole = control.do === "blackhole";
    }
    this.#advance();
  }

  /** @throws Error when that time is past: what a trace says of it would be too late */
  beginTraces(timeMicroseconds: number): void {
    const late = monotonicMicroseconds() - timeMicroseconds;
    if (late > 0) throw new Error(`traces were to begin ${Math.round(late)} us ago`);
    for (const { link } of this.#directions) link.beginTrace(timeMicroseconds);
  }

  close(): void {
    this.#timer.close();
    for (const { sockets } of this.#links.values()) for (const socket of sockets) socket.close();
  }

  #open(link: EmulatedLink): void {
    if (this.#links.has(link.name)) throw new Error(`two links with the name "${link.name}"`);
    // The sockets know their directions only by name, because each direction needs the other end's socket.
    const sockets: PacketSocket[] = [];
    const running = { name: link.name, sockets } as RunningLink;
    this.#links.set(link.name, running);
    sockets.push(
      this.#openSocket(
        link.ends[0],
        () => running.forward,
        () => running.backward,
      ),
    );
    sockets.push(
      this.#openSocket(
        link.ends[1],
        () => running.backward,
        () => running.forward,
      ),
    );
    const [first, second] = sockets;
    const direction = (name: LinkDirectionName, egress: PacketSocket) =>
      new EmulatedDirection(link[name], egress, this.#pool, this.#lateness, (message) =>
        this.#observer.warning(link.name, name, message),
      );
    running.forward = direction("forward", second!);
    running.backward = direction("backward", first!);
    this.#directions.push(running.forward, running.backward);
  }

  #openSocket(
    end: EmulatedLink["ends"][number],
    leaving: () => EmulatedDirection,
    arriving: () => EmulatedDirection,
  ): PacketSocket {
    return new PacketSocket({
      namespacePath: end.namespacePath,
      interfaceName: end.interfaceName,
      memory: this.#memory,
      receiveSlots: Array.from({ length: batchFrames }, () => this.#pool.take()!.slot),
      onBatch: (count, socket) => {
        leaving().receive(socket, count);
        this.#advance();
      },
      onWritable: () => arriving().writable(),
      onError: (code) => {
        arriving().writable();
        this.#observer.interfaceError(end.interfaceName, code);
      },
    });
  }

  #advance(): void {
    let now = monotonicMicroseconds();
    let next: number;
    do {
      next = Infinity;
      for (const direction of this.#directions) next = Math.min(next, direction.advance(now));
      now = monotonicMicroseconds();
    } while (next <= now);
    this.#timer.set(next);
  }
}

function directionStats(
  link: string,
  direction: LinkDirectionName,
  { link: elements, dropsOversize, dropsMemory, dropsEgress }: EmulatedDirection,
  ingress: PacketSocket,
): LinkStats {
  const rate = elements.rateBitsPerSecond;
  return {
    link,
    direction,
    ...elements.counters(monotonicMicroseconds()),
    ...(rate === Infinity ? {} : { rateBitsPerSecond: rate }),
    blackhole: elements.blackhole,
    dropsOversize,
    dropsMemory: dropsMemory + ingress.drops,
    dropsEgress,
  };
}

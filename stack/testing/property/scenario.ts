/** What two hosts go through: paths, what tampers with them, what fails when, and what the applications do. A plain value: it can be printed, shrunk and kept. */

import type { CongestionControlName, PathManagerName, SchedulerName } from "../../host-options.ts";
import type { SynCookiePolicy } from "../../tcp/tcp-options.ts";
import type { PipeOptions } from "../network.ts";
import { seededRandom } from "../random.ts";
import { type Tampering, tamperings } from "./tampering.ts";

export interface PathScenario {
  up: PipeOptions;
  down: PipeOptions;
  /** Of segments from the client, in the order in which they pass. */
  tamperingUp: Tampering[];
  tamperingDown: Tampering[];
  /** A firewall gives both sides other initial sequence numbers. */
  renumbers: boolean;
  /** A NAT in front of the client. */
  translates: boolean;
}

export interface EndScenario {
  mptcp: boolean;
  dssChecksum: boolean;
  explicitCongestionNotification: boolean;
  congestionControl: CongestionControlName;
  scheduler: SchedulerName;
  pathManager: PathManagerName;
  /** Of a listener. */
  synCookies: SynCookiePolicy;
  autotune: boolean;
  sendBufferBytes: number;
  receiveBufferBytes: number;
  /** Bytes of the application's stream. */
  sends: number;
  writeSize: number;
  /** Most bytes of one read. */
  readSize: number;
  /** Microseconds between two reads; 0: as soon as there is something. */
  readInterval: number;
  /** When the application ends its stream: with its last byte, or only once the peer has ended (half-close). */
  ends: "after-sending" | "after-remote-end";
  /** Microseconds after the start at which the application gives up; Infinity: never. */
  abortsAt: number;
}

/** What happens to a path at `at` microseconds after the start; each but `rebind` and `reset` lasts until the opposite. */
export interface Fault {
  at: number;
  path: number;
  do:
    | "die"
    | "die-up"
    | "die-down"
    | "return"
    | "interface-down"
    | "interface-up"
    | "rebind"
    | "reset-up"
    | "reset-down";
}

export interface Scenario {
  /** Of the hosts' and the paths' random numbers. */
  seed: number;
  /** Boxes let IPv6 pass as it is. */
  family: "ipv4" | "ipv6";
  /** With a second one the server advertises its address. */
  serverInterfaces: 1 | 2;
  paths: PathScenario[];
  client: EndScenario;
  server: EndScenario;
  faults: Fault[];
}

export const calmPath: PathScenario = {
  up: { rate: 10_000_000, delay: 5_000, queueBytes: 60_000 },
  down: { rate: 10_000_000, delay: 5_000, queueBytes: 60_000 },
  tamperingUp: [],
  tamperingDown: [],
  renumbers: false,
  translates: false,
};

export const calmEnd: EndScenario = {
  mptcp: true,
  dssChecksum: false,
  explicitCongestionNotification: false,
  congestionControl: "lia",
  scheduler: "min-rtt",
  pathManager: "full-mesh",
  synCookies: "when-full",
  autotune: false,
  sendBufferBytes: 65_536,
  receiveBufferBytes: 65_536,
  sends: 0,
  writeSize: 65_536,
  readSize: 65_536,
  readInterval: 0,
  ends: "after-sending",
  abortsAt: Number.POSITIVE_INFINITY,
};

/** Draws from a seeded stream. */
class Dice {
  readonly #random: () => number;

  constructor(seed: number) {
    this.#random = seededRandom(seed);
  }

  /** An integer from `minimum` to `maximum`. */
  between(minimum: number, maximum: number): number {
    return minimum + (this.#random() % (maximum - minimum + 1));
  }

  oneIn(count: number): boolean {
    return this.#random() % count === 0;
  }

  pick<T>(...values: readonly T[]): T {
    return values[this.#random() % values.length]!;
  }
}

/** The scenario of a seed: the same on every machine. */
export function scenarioOf(seed: number): Scenario {
  const dice = new Dice(seed ^ 0x5eed);
  const paths = Array.from({ length: dice.pick(1, 1, 2, 2, 2, 3) }, () => drawPath(dice));
  const client = drawEnd(dice);
  const server = drawEnd(dice);
  // Who waits for the other's end has a peer that does not wait.
  if (client.ends === "after-remote-end") server.ends = "after-sending";
  const faults = dice.oneIn(2) ? [] : drawFaults(dice, paths.length);
  const family = dice.oneIn(10) ? "ipv6" : "ipv4";
  const serverInterfaces = dice.oneIn(5) ? 2 : 1;
  return { seed, family, serverInterfaces, paths, client, server, faults };
}

function drawPipe(dice: Dice): PipeOptions {
  return {
    rate: dice.pick(500_000, 2_000_000, 10_000_000, 100_000_000),
    delay: dice.pick(100, 2_000, 10_000, 40_000, 150_000),
    queueBytes: dice.pick(6_000, 20_000, 60_000),
    loss: dice.pick(0, 0, 0.01, 0.05, 0.2),
    duplicate: dice.pick(0, 0, 0, 0.05, 0.5),
    reorder: dice.pick(0, 0, 0.05, 0.3),
    reorderDelay: dice.pick(500, 5_000, 30_000),
  };
}

function drawPath(dice: Dice): PathScenario {
  const up = drawPipe(dice);
  const drawTamperings = (): Tampering[] =>
    Array.from({ length: dice.pick(0, 0, 0, 1, 1, 2) }, () => ({
      kind: dice.pick(...tamperings),
      value: dice.between(0, 0xffff),
    }));
  return {
    up,
    down: dice.oneIn(2) ? { ...up } : drawPipe(dice),
    tamperingUp: drawTamperings(),
    tamperingDown: drawTamperings(),
    renumbers: dice.oneIn(6),
    translates: dice.oneIn(6),
  };
}

function drawEnd(dice: Dice): EndScenario {
  return {
    mptcp: !dice.oneIn(10),
    dssChecksum: dice.oneIn(3),
    explicitCongestionNotification: dice.oneIn(4),
    congestionControl: dice.pick("lia", "lia", "olia", "balia", "wvegas", "ewtcp", "fully-coupled", "reno", "cubic"),
    scheduler: dice.pick("min-rtt", "min-rtt", "round-robin", "redundant", "blest", "ecf"),
    pathManager: dice.pick("full-mesh", "full-mesh", "n-different-ports"),
    synCookies: dice.pick("when-full", "when-full", "always"),
    autotune: dice.oneIn(3),
    sendBufferBytes: dice.pick(4_096, 20_000, 262_144),
    receiveBufferBytes: dice.pick(4_096, 20_000, 262_144),
    sends: dice.pick(0, dice.between(1, 2_000), dice.between(1, 15_000), dice.between(1, 50_000)),
    writeSize: dice.pick(100, 1_000, 10_000, 65_536),
    readSize: dice.pick(700, 5_000, 65_536),
    readInterval: dice.pick(0, 0, 0, 20_000),
    ends: dice.oneIn(6) ? "after-remote-end" : "after-sending",
    abortsAt: dice.oneIn(12) ? dice.between(0, 3_000_000) : Number.POSITIVE_INFINITY,
  };
}

function drawFaults(dice: Dice, paths: number): Fault[] {
  const faults: Fault[] = [];
  const span = dice.pick(300_000, 2_000_000, 60_000_000);
  const pairs = dice.between(1, 3);
  for (let i = 0; i < pairs; i++) {
    const path = dice.between(0, paths - 1);
    const at = dice.between(0, span);
    const kind = dice.pick("die", "die", "die-up", "die-down", "interface-down", "rebind", "reset-up", "reset-down");
    faults.push({ at, path, do: kind });
    if (kind === "interface-down") faults.push({ at: at + dice.between(0, span), path, do: "interface-up" });
    else if (kind.startsWith("die") && !dice.oneIn(4))
      faults.push({ at: at + dice.between(0, span), path, do: "return" });
  }
  return faults.sort((a, b) => a.at - b.at);
}

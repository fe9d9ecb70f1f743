/** Thousands of connections of every kind through both gateways, in rounds, and whether anything is left of them: tables, sockets, timers, descriptors, memory. */
import { request } from "node:http";
import { mkdtempSync, rmSync } from "node:fs";
import { json } from "node:stream/consumers";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { GatewayLab } from "../../../endpoint/gateway/gateway-lab.fixture.ts";
import type { EndpointState } from "../../../endpoint/status/state.ts";
import { Application, type Machine } from "../../../endpoint/two-machines.fixture.ts";
import type { Check } from "../verdict.ts";
import type { VisitReport } from "./visitors.ts";
import type { ProcessHoldings } from "./watched-gateway.ts";

const programs = "stack/benchmark/soak/gateway";
const serverAddress = "192.0.2.80";
const serverPort = 8080;
const socksPort = 1080;
const machines = ["client", "server"] as const;

/** What one ended connection may have added to the heap and to what hangs on it: the least that is kept of a socket is more. */
const heldBytesOfAConnection = 512;
/** What the compiler and caches may add while they warm up. */
const heldBytesOfTheProgram = 2 * 2 ** 20;
/** What resident memory may have grown from the second round to the last: the first warms up. */
const residentGrowth = 1.1;
/** What it may have grown in all: packet memory that was used for the first time (up to 48 MiB), compiled code. What was carried and freed is some 300 MiB. */
const residentBytesOfTheProgram = 96 * 2 ** 20;
/** Everything has been closed, reset or given up: TIME-WAIT takes a minute (RFC 9293 §3.4.2), and the patience of a converter with a request that does not come less. */
const drainMilliseconds = 180_000;

export interface GatewaySoakOptions {
  readonly rounds: number;
  readonly visits: number;
  readonly atATime: number;
}

export interface GatewaySoakProgress {
  readonly round: number;
  readonly seconds: number;
  readonly report: VisitReport;
  readonly client: ProcessHoldings;
  readonly server: ProcessHoldings;
}

/** Root. Each round has the visits of all kinds, by the TUN device and by SOCKS5, and ends when TIME-WAIT has. */
export async function runGatewaySoak(
  { rounds, visits, atATime }: GatewaySoakOptions,
  onProgress: (progress: GatewaySoakProgress) => void,
): Promise<Check[]> {
  const lab = new GatewayLab();
  const directory = mkdtempSync(join(tmpdir(), "gateway-soak-"));
  try {
    lab.up();
    lab.run("server", "service");
    lab.run("client", "tun");
    const service = run(lab, "server", `service.ts ${serverAddress} ${serverPort}`);
    await service.line();
    const paths = {
      server: "--converter 4460 --interface eth0=10.77.1.12/24 --interface eth1=10.77.2.12/24",
      client: `--peer 10.77.1.12:4460 --tun pathlab0 --socks 127.0.0.1:${socksPort} --interface wlan0=10.77.1.11/24 --interface wwan0=10.77.2.11/24`,
    };
    const gateways = {
      server: await WatchedGateway.start(lab, "server", paths.server, join(directory, "server")),
      client: await WatchedGateway.start(lab, "client", paths.client, join(directory, "client")),
    };
    const visitors = run(lab, "client", `visitors.ts ${serverAddress} ${serverPort} ${socksPort}`);
    const problems: string[] = [];
    const before = await idle(gateways);
    const settled: Record<Machine, Idle>[] = [];
    for (let round = 1; round <= rounds; round++) {
      const startedAt = performance.now();
      const report = await visit(visitors, visits, atATime);
      problems.push(...report.problems);
      const seconds = (performance.now() - startedAt) / 1000;
      settled.push(await idle(gateways));
      onProgress({ round, seconds, report, ...settled.at(-1)! });
    }
    const after = settled.at(-1)!;
    return [
      {
        what: "every visit ended as it had to",
        passed: problems.length === 0,
        found: problems.slice(0, 5).join("; ") || `${rounds * visits} visits`,
      },
      ...machines.flatMap((machine) => [
        ...nothingIsLeft(machine, before[machine], after[machine]),
        memoryIsBack(machine, settled[0]![machine], after[machine], (rounds - 1) * visits),
        residentMemoryIsFlat(
          machine,
          settled.map((round) => round[machine].rss),
        ),
        residentMemoryIsBack(machine, before[machine], after[machine]),
      ]),
    ];
  } finally {
    await lab.down();
    rmSync(directory, { recursive: true });
  }
}

function run(lab: GatewayLab, machine: Machine, program: string): Application {
  const child = lab.spawn(machine, `exec node ${programs}/${program}`);
  child.stderr!.pipe(process.stderr);
  return new Application(child);
}

async function visit(visitors: Application, count: number, atATime: number): Promise<VisitReport> {
  visitors.say(`${count} ${atATime}`);
  return JSON.parse(await visitors.line()) as VisitReport;
}

type Idle = ProcessHoldings & { readonly tables: string };

class WatchedGateway {
  readonly #application: Application;
  readonly #socketPath: string;

  private constructor(application: Application, socketPath: string) {
    this.#application = application;
    this.#socketPath = socketPath;
  }

  static async start(lab: GatewayLab, machine: Machine, options: string, socketPath: string): Promise<WatchedGateway> {
    const gateway = new WatchedGateway(
      run(lab, machine, `watched-gateway.ts ${options} --status ${socketPath}`),
      socketPath,
    );
    await gateway.#record("ready");
    return gateway;
  }

  async held(): Promise<ProcessHoldings> {
    this.#application.say("held");
    return (await this.#record("held")) as ProcessHoldings;
  }

  /** Entries of the tables of its hosts, by their names. */
  async tables(): Promise<Record<string, number>> {
    const asked = request({ socketPath: this.#socketPath, path: "/state", agent: false }).end();
    const state = await new Promise<EndpointState>((resolve, reject) => {
      asked.once("error", reject).once("response", (response) => void json(response).then(resolve as never, reject));
    });
    return Object.fromEntries(
      state.hosts.flatMap(({ name, holdings }) =>
        Object.entries(holdings).map(([table, entries]) => [`${name} ${table}`, entries as number]),
      ),
    );
  }

  async #record(type: string): Promise<{ type: string }> {
    for (;;) {
      const record = JSON.parse(await this.#application.line()) as { type: string };
      if (record.type === type) return record;
    }
  }
}

/** Both as they are when the tables of both are empty, or when that has taken too long. */
async function idle(gateways: Record<Machine, WatchedGateway>): Promise<Record<Machine, Idle>> {
  const giveUpAt = performance.now() + drainMilliseconds;
  for (;;) {
    const tables = { client: await gateways.client.tables(), server: await gateways.server.tables() };
    const empty = machines.every((machine) => Object.values(tables[machine]).every((entries) => entries === 0));
    if (empty || performance.now() > giveUpAt) {
      const of = async (machine: Machine): Promise<Idle> => {
        const held = await gateways[machine].held();
        return { ...held, tables: empty ? "empty" : JSON.stringify(tables[machine]) };
      };
      const [client, server] = await Promise.all([of("client"), of("server")]);
      return { client, server };
    }
    await pause(500);
  }
}

function nothingIsLeft(machine: Machine, before: Idle, after: Idle): Check[] {
  return [
    { what: `${machine}: all tables are empty`, passed: after.tables === "empty", found: after.tables },
    {
      what: `${machine}: file descriptors are as at the start`,
      passed: after.fileDescriptors <= before.fileDescriptors,
      found: `${before.fileDescriptors}, then ${after.fileDescriptors}`,
    },
    {
      what: `${machine}: sockets and timers are as at the start`,
      passed: resourcesOf(after) === resourcesOf(before),
      found: `${resourcesOf(before)}, then ${resourcesOf(after)}`,
    },
  ];
}

function memoryIsBack(machine: Machine, first: ProcessHoldings, after: ProcessHoldings, visits: number): Check {
  const grown = heldBytes(after) - heldBytes(first);
  return {
    what: `${machine}: heap and buffers are as after the first round`,
    passed: grown <= heldBytesOfTheProgram + visits * heldBytesOfAConnection,
    found: `${(heldBytes(first) / 2 ** 20).toFixed(1)} MiB, then ${(heldBytes(after) / 2 ** 20).toFixed(1)} MiB`,
  };
}

function residentMemoryIsFlat(machine: Machine, rounds: readonly number[]): Check {
  return {
    what: `${machine}: resident memory is flat from the second round on`,
    passed: rounds.at(-1)! <= residentGrowth * (rounds[1] ?? Number.POSITIVE_INFINITY),
    found: `${rounds.map((bytes) => (bytes / 2 ** 20).toFixed(0)).join(", ")} MiB after the rounds`,
  };
}

function residentMemoryIsBack(machine: Machine, before: ProcessHoldings, after: ProcessHoldings): Check {
  return {
    what: `${machine}: resident memory is near what it was before the first round`,
    passed: after.rss <= before.rss + residentBytesOfTheProgram,
    found: `${(before.rss / 2 ** 20).toFixed(0)} MiB, then ${(after.rss / 2 ** 20).toFixed(0)} MiB`,
  };
}

function resourcesOf({ resources }: ProcessHoldings): string {
  return JSON.stringify(Object.entries(resources).toSorted(([one], [other]) => (one < other ? -1 : 1)));
}

function heldBytes({ heapUsed, external }: ProcessHoldings): number {
  return heapUsed + external;
}

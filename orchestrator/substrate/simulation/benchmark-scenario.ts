/**
 * One scenario of the benchmark, in a process of its own so that its memory is its own: `node benchmark-scenario.ts NAME` prints one line of JSON. With
 * `node --cpu-prof` it is what to profile.
 */
import { createHash } from "node:crypto";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { formatDiagnostics } from "../../model/diagnostics.ts";
import { loadExperiment } from "../../model/load.ts";
import { planExperiment } from "../../plan/make-plan.ts";
import type { Plan } from "../../plan/plan.ts";
import { Simulation } from "./simulation.ts";

export interface Scenario {
  /** As in a topology file: `fat-tree: { … }`. */
  readonly network: string;
  /** As in an experiment file: `pattern: permutation, duration: 1s`. */
  readonly traffic: string;
  readonly subflows: number;
  /** Of each host, both directions; default 4 MiB. */
  readonly buffer?: string;
}

export interface Measured {
  readonly hosts: number;
  readonly flows: number;
  /** Frames that came out at the far end of a link, over all links. */
  readonly packetHops: number;
  readonly virtualSeconds: number;
  readonly events: number;
  /** Of the simulation alone: not of reading the program and planning. */
  readonly processorSeconds: number;
  readonly payloadBytes: number;
  /** The most that the process ever held, beyond what it held when the plan was made. */
  readonly peakBytes: number;
  /** SHA-256 of all metrics, events and results: what must not change when the simulation becomes faster. */
  readonly fingerprint: string;
}

const hundredMegabit = "rate: 100mbit, delay: 10us";

function dumbbell(pairs: number, seconds: number): Scenario {
  return {
    network: `dumbbell: { pairs: ${pairs}, rate: ${100 * pairs}mbit, delay: 1ms, accessRate: 1gbit, accessDelay: 10us }`,
    // From each host on the left to its partner on the right.
    traffic: `pattern: permutation, duration: ${seconds}s`,
    subflows: 1,
  };
}

function fatTree(k: number, subflows: number, seconds: number): Scenario {
  return {
    network: `fat-tree: { k: ${k}, ${hundredMegabit} }`,
    traffic: `pattern: permutation, duration: ${seconds}s`,
    subflows,
  };
}

export const scenarios: Readonly<Record<string, Scenario>> = {
  "dumbbell-1": dumbbell(1, 10),
  "dumbbell-4": dumbbell(4, 4),
  "dumbbell-16": dumbbell(16, 1),
  "fat-tree-4-1": fatTree(4, 1, 2),
  "fat-tree-4-8": fatTree(4, 8, 2),
  "fat-tree-8-8": fatTree(8, 8, 1),
  "fat-tree-8-8-whole": fatTree(8, 8, 10),
  // 1,024 hosts; what fills the queues on a path is 750 kB.
  "fat-tree-16-8": { ...fatTree(16, 8, 0.05), buffer: "1MiB" },
  // What a packet-hop costs in larger and larger networks, all else being equal.
  ...Object.fromEntries([4, 6, 8, 10, 12].map((k) => [`curve-${k}`, { ...fatTree(k, 8, 0.1), buffer: "1MiB" }])),
};

export function scenarioPlan({ network, traffic, subflows, buffer = "4MiB" }: Scenario): Plan {
  const directory = mkdtempSync(join(tmpdir(), "pathlab-benchmark-"));
  try {
    writeFileSync(join(directory, "network.yaml"), `version: 1\nname: network\ngenerate: { ${network} }\n`);
    const file = join(directory, "experiment.yaml");
    writeFileSync(
      file,
      `version: 1
name: benchmark
topology: network.yaml
on: simulation
seed: 1
everyHost: { endpoint: pathlab, pathManager: n-different-ports, subflows: ${subflows}, sendBuffer: ${buffer}, receiveBuffer: ${buffer} }
traffic: { all: { ${traffic} } }
capture: { enabled: false }
metrics: { interval: 100ms }
`,
    );
    const loaded = loadExperiment(file);
    if (!loaded.ok) throw new Error(formatDiagnostics(loaded.diagnostics));
    const planned = planExperiment(loaded.value, { substrate: "simulation", lab: "0000", abilities: { netem: false } });
    if (!planned.ok) throw new Error(formatDiagnostics(planned.diagnostics));
    return planned.value;
  } finally {
    rmSync(directory, { recursive: true });
  }
}

/** @throws Error when anything failed or was not intact: a simulation that is fast because it does less is none */
export async function measure(scenario: Scenario): Promise<Measured> {
  const plan = scenarioPlan(scenario);
  const hash = createHash("sha256");
  const hopsOf = new Map<string, number>();
  const failures: string[] = [];
  let payloadBytes = 0;
  const before = process.memoryUsage.rss();
  const startedAt = process.cpuUsage();
  const simulation = new Simulation(plan);
  const observed = (what: unknown): void =>
    void hash.update(JSON.stringify(what, (key, value: unknown) => (key === "message" ? undefined : value)));
  await simulation.run({
    sink: {
      event: observed,
      stackEvent: () => undefined,
      sample: observed,
      linkSample(sample) {
        observed(sample);
        hopsOf.set(`${sample.link} ${sample.direction}`, sample.packets);
      },
      result(workload, role, result) {
        observed([workload, role, result]);
        if (result.kind === "receiver") payloadBytes += result.bytes;
      },
      connection: () => undefined,
      failure: (failure) => failures.push(JSON.stringify(failure)),
    },
    signal: new AbortController().signal,
  });
  const { user, system } = process.cpuUsage(startedAt);
  if (failures.length > 0) throw new Error(failures.join("\n"));
  return {
    hosts: plan.nodes.filter(({ kind }) => kind === "host").length,
    flows: plan.workloads.length,
    packetHops: [...hopsOf.values()].reduce((sum, packets) => sum + packets, 0),
    virtualSeconds: simulation.now / 1e6,
    events: simulation.events,
    processorSeconds: (user + system) / 1e6,
    payloadBytes,
    peakBytes: process.resourceUsage().maxRSS * 1024 - before,
    fingerprint: hash.digest("hex"),
  };
}

if (import.meta.main) {
  const scenario = scenarios[process.argv[2] ?? ""];
  if (scenario === undefined) throw new Error(`one of ${Object.keys(scenarios).join(", ")}`);
  process.stdout.write(`${JSON.stringify(await measure(scenario))}\n`);
}

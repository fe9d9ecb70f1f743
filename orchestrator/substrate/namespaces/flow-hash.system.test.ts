/** Kernels choose among next hops of equal cost as the plan says: in a fat tree, what each switch sends out is read from the wire. */
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { text } from "node:stream/consumers";
import { expect } from "chai";
import { formatEndpoint } from "../../../stack/wire/ip-address.ts";
import { Journal } from "../../journal/journal.ts";
import { formatDiagnostics } from "../../model/diagnostics.ts";
import { loadExperiment } from "../../model/load.ts";
import { FlowPaths } from "../../plan/flow-paths.ts";
import { planExperiment } from "../../plan/make-plan.ts";
import { addressesOf, type Plan, type PlannedNode } from "../../plan/plan.ts";
import type { LabProcess } from "../../workload/lab-process.ts";
import { takesFlowHashSeed } from "../prerequisites/kernel-features.ts";
import { RecordingObserver } from "../recording-observer.fixture.ts";
import type { Lab } from "../substrate.ts";
import { namespaces } from "./namespaces.ts";

const file = join(import.meta.dirname, "../../../experiments/papers/fat-tree-permutation.yaml");
const serverPort = 5001;
const pairs = [
  ["host-0-0-0", "host-1-0-0"],
  ["host-2-1-1", "host-0-1-0"],
  ["host-3-0-1", "host-3-1-0"],
] as const;
/** Of each pair and family. */
const flows = 16;

/** A fat tree whose links are plain: of both families, its hosts the kernel's. */
function treePlan(lab: string): Plan {
  const loaded = loadExperiment(file, { settings: ["everyHost={ endpoint: linux-tcp }", "baselines={}", "expect={}"] });
  if (!loaded.ok) throw new Error(formatDiagnostics(loaded.diagnostics));
  const { topology } = loaded.value.topology;
  const links = Object.entries(topology.links).map(([name, { ends }]) => [name, { ends }] as const);
  const plain = { ...topology, addressing: "dual" as const, links: Object.fromEntries(links) };
  const planned = planExperiment(
    { ...loaded.value, topology: { ...loaded.value.topology, topology: plain } },
    { substrate: "namespaces", lab, abilities: { netem: false, seededFlowHash: true } },
  );
  if (!planned.ok) throw new Error(formatDiagnostics(planned.diagnostics));
  return planned.value;
}

const serverProgram = `
require("node:net").createServer((socket) => socket.on("error", () => {}).end()).listen(${serverPort}, "::", () => console.log("ready"));
`;

/** One connection after the other, each from a port of its own. */
const clientProgram = `
const { connect } = require("node:net");
const flows = JSON.parse(process.argv[1]);
function next() {
  const flow = flows.shift();
  if (flow === undefined) return;
  connect(flow).on("error", (error) => { console.error(String(error)); process.exitCode = 1; }).on("close", next).resume();
}
next();
`;

async function firstLine(process: LabProcess): Promise<void> {
  await once(createInterface({ input: process.stdout }), "line");
}

/** The links that SYNs and SYN-ACKs leave switches by, as tcpdump tells: `INTERFACE Out IP SOURCE.PORT > DESTINATION.PORT: Flags [S]`. */
class SwitchWatch {
  /** By flow, as in metrics. */
  readonly links = new Map<string, Set<string>>();
  #onLink: () => void = () => undefined;

  async begin(lab: Lab, node: PlannedNode): Promise<void> {
    // Cut short: of whole packets the buffer would hold eight.
    const argv = ["tcpdump", "-l", "-n", "-t", "-s", "128", "--immediate-mode", "-i", "any", "ip or ip6"] as const;
    const dump = await lab.spawn(node.name, { name: "tcpdump", argv });
    createInterface({ input: dump.stdout }).on("line", (line) => this.#read(line, node));
    const complaints = createInterface({ input: dump.stderr });
    for await (const line of complaints) if (line.startsWith("listening on")) return;
    throw new Error(`tcpdump ended on ${node.name}`);
  }

  /** Until `flow` was seen to leave by as many links: tcpdump tells when it has time. */
  async sawLinks(flow: string, count: number): Promise<string[]> {
    for (;;) {
      const links = this.links.get(flow) ?? [];
      if ([...links].length >= count) return [...links];
      await new Promise<void>((resolve) => (this.#onLink = resolve));
    }
  }

  #read(line: string, { interfaces }: PlannedNode): void {
    const found = /^(\S+) +Out IP6? (\S+)\.(\d+) > (\S+)\.(\d+): Flags \[S\.?\]/.exec(line);
    if (found === null) return;
    const [, own, source, sourcePort, destination, destinationPort] = found as unknown as string[];
    const flow = `${formatEndpoint(source!, Number(sourcePort))}-${formatEndpoint(destination!, Number(destinationPort))}`;
    const links = this.links.get(flow) ?? new Set();
    this.links.set(flow, links.add(interfaces.find(({ name }) => name === own)!.link));
    this.#onLink();
  }
}

describe("the choice of kernels among next hops of equal cost", function () {
  this.timeout(120_000);
  let state: string;
  let journal: Journal;
  let plan: Plan;
  let lab: Lab;

  before(async function () {
    if (!takesFlowHashSeed()) this.skip();
    state = mkdtempSync(join(tmpdir(), "pathlab-state-"));
    journal = Journal.create({ state });
    plan = treePlan(journal.lab);
    lab = await namespaces.up(plan, journal, new RecordingObserver());
  });
  after(async () => {
    if (!takesFlowHashSeed()) return;
    await lab.down();
    journal.remove();
    rmSync(state, { recursive: true });
  });

  it("is that of the simulation, flow by flow, in both directions, over IPv4 and IPv6", async () => {
    const watch = new SwitchWatch();
    for (const node of plan.nodes) if (node.kind === "switch") await watch.begin(lab, node);
    const ids: string[] = [];
    for (const [from, to] of pairs) {
      await firstLine(await lab.spawn(to, { name: "server", argv: [process.execPath, "-e", serverProgram] }));
      const connections = addressesOfNode(plan, from).flatMap((localAddress, family) => {
        const host = addressesOfNode(plan, to)[family]!;
        return Array.from({ length: flows }, (_, index) => {
          const localPort = 20_000 + 977 * index + family;
          const ends = [formatEndpoint(localAddress, localPort), formatEndpoint(host, serverPort)] as const;
          ids.push(`${ends[0]}-${ends[1]}`, `${ends[1]}-${ends[0]}`);
          return { localAddress, localPort, host, port: serverPort };
        });
      });
      const argv = [process.execPath, "-e", clientProgram, JSON.stringify(connections)] as const;
      const client = await lab.spawn(from, { name: "client", argv });
      const complaints = text(client.stderr);
      expect(await client.exited, await complaints).to.deep.equal({ code: 0, signal: null });
    }

    const paths = new FlowPaths(plan);
    const taken = new Set<string>();
    for (const id of ids) {
      // The first link is the host's own; each switch on the way chooses the next.
      const expected = paths.linksOf(id)!.slice(1);
      const links = await watch.sawLinks(id, expected.length);
      expect(links, id).to.have.members(expected);
      taken.add(links.sort().join(" "));
    }
    // All of two pairs in different pods, in each direction, and of one within a pod.
    expect(taken.size).to.equal(2 * (4 + 4 + 2));
  });
});

function addressesOfNode(plan: Plan, name: string): string[] {
  return addressesOf(plan.nodes.find((node) => node.name === name)!.interfaces[0]!).map(({ address }) => address);
}

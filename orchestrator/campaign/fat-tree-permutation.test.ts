/** The first published result (SIGCOMM'11, figure 8's left half in small): shares of a permutation in a fat tree against the number of subflows. */
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect } from "chai";
import { fatTree } from "../model/generate/fat-tree.ts";
import { bundleFiles } from "../bundle/layout.ts";
import { flowSchema, type FlowRecord, linksSchema } from "../bundle/records.ts";
import { formatDiagnostics } from "../model/diagnostics.ts";
import { loadExperiment } from "../model/load.ts";
import { FlowPaths } from "../plan/flow-paths.ts";
import type { Plan } from "../plan/plan.ts";
import { derivedSeed } from "../plan/derived-seed.ts";
import { permutation } from "../plan/traffic/permutation.ts";
import { flowHash } from "../path/flow-hash.ts";
import { RandomStream } from "../path/random.ts";
import { planExperiment } from "../plan/make-plan.ts";
import { fairness } from "../verdict/measure-traffic.ts";
import { maxMinShares } from "./max-min.fixture.ts";
import { runExperiment } from "./run-experiment.ts";

const file = fileURLToPath(new URL("../../experiments/papers/fat-tree-permutation.yaml", import.meta.url));
/** Of a frame of 1514 bytes 1428 are payload: 20 of IP, 20 of TCP, 12 of timestamps, 20 of DSS, and Ethernet's 14. */
const payloadShare = 1428 / 1514;
const rate = 100e6;

/** A subflow's links as directions, as the fat tree's names tell: a path of 2n links goes up for n and down for n. */
const directed = (links: readonly string[]): string[] =>
  links.map((link, index) => `${link} ${index < links.length / 2 ? "up" : "down"}`);

const mean = (values: readonly number[]): number => values.reduce((sum, value) => sum + value, 0) / values.length;

describe("max-min shares", () => {
  it("give a flow over two links what the fuller one leaves, and the rest to who can use it", () => {
    expect(maxMinShares([[["a", "b"]], [["a"]], [["b"]], [["b"]]], 12)).to.deep.equal([4, 8, 4, 4]);
    expect(maxMinShares([[["a"], ["b"]], [["a"]]], 10)).to.deep.equal([15, 5]);
  });

  for (const [k, expected] of [
    [4, { 1: 0.596, 2: 0.734, 4: 0.863, 8: 0.94 }],
    [8, { 1: 0.465 }],
  ] as const) {
    it(`are those of the model for k=${k}, over hashed paths`, () => {
      const made = fatTree.generate({ k, rate, delay: 10, buffer: { packets: 100 } });
      const plan = treePlan(k);
      const paths = new FlowPaths(plan);
      const addresses = new Map(plan.nodes.map(({ name, interfaces }) => [name, interfaces[0]!.address]));
      for (const [subflows, share] of Object.entries(expected)) {
        const means = Array.from({ length: k === 4 ? 40 : 6 }, (_, round) => {
          const pairs = permutation(made.hosts, new RandomStream(derivedSeed(round, "model")));
          const flows = pairs.map(({ from, to }, pair) =>
            Array.from({ length: Number(subflows) }, (__, subflow) => {
              const port = 20_000 + (flowHash(round, pair, subflow, 6, 0, 0) % 40_000);
              return directed(paths.linksOf(`${addresses.get(from)}:${port}-${addresses.get(to)}:5001`)!);
            }),
          );
          return mean(maxMinShares(flows, 1));
        });
        expect(mean(means), `${subflows} subflows`).to.be.closeTo(share, 0.03);
      }
    }).timeout(240_000);
  }
});

function treePlan(k: number): Plan {
  const loaded = loadExperiment(file);
  if (!loaded.ok) throw new Error(formatDiagnostics(loaded.diagnostics));
  const { topology } = loaded.value.topology;
  const made = fatTree.generate({ k, rate, delay: 10, buffer: { packets: 100 } });
  const links = Object.entries(made.links).map(([name, { ends, shape }]) => [
    name,
    { ends: [{ node: ends[0] }, { node: ends[1] }], shape: shape! },
  ]);
  const tree = {
    ...topology,
    hosts: Object.fromEntries(made.hosts.map((name) => [name, {}])),
    routers: Object.fromEntries(made.switches.map((name) => [name, { kind: "switch" as const }])),
    links: Object.fromEntries(links) as typeof topology.links,
  };
  const planned = planExperiment(
    { ...loaded.value, topology: { ...loaded.value.topology, topology: tree } },
    { lab: "0000", abilities: { netem: false } },
  );
  if (!planned.ok) throw new Error(formatDiagnostics(planned.diagnostics));
  return planned.value;
}

describe("a permutation in a fat tree of 16 hosts", function () {
  this.timeout(240_000);
  let directory: string;
  before(() => (directory = mkdtempSync(join(tmpdir(), "pathlab-fat-tree-test-"))));
  after(() => rmSync(directory, { recursive: true, force: true }));

  async function flowsWith(subflows: number): Promise<{ flows: FlowRecord[]; bundle: string }> {
    const settings = [`everyHost.subflows=${subflows}`, "traffic.shuffle.duration=600ms", "baselines={}", "expect={}"];
    const loaded = loadExperiment(file, { settings });
    if (!loaded.ok) throw new Error(formatDiagnostics(loaded.diagnostics));
    const outcome = await runExperiment({
      loaded: loaded.value,
      substrate: "simulation",
      seed: 3,
      abilities: { netem: false },
      resultsDirectory: directory,
      command: ["run"],
      progress: () => undefined,
      signal: new AbortController().signal,
    });
    expect(outcome.error).to.equal(undefined);
    const lines = readFileSync(join(outcome.directory, bundleFiles.flows), "utf8").trimEnd().split("\n");
    return { flows: lines.map((line) => flowSchema.parse(JSON.parse(line))), bundle: outcome.directory };
  }

  const shareOf = ({ bytes, connectedAt, endAt }: FlowRecord): number =>
    (bytes! * 8e6) / (endAt! - connectedAt!) / rate / payloadShare;

  for (const [subflows, leastFairness] of [
    [1, 0.78],
    [4, 0.94],
  ] as const) {
    it(`gets what max-min fairness gives over the very paths that were taken: ${subflows} subflows`, async () => {
      const { flows, bundle } = await flowsWith(subflows);
      expect(flows).to.have.length(16);
      for (const { subflows: own } of flows) expect(own).to.have.length(subflows);
      const model = maxMinShares(
        flows.map(({ subflows: own }) => own.map(({ links }) => directed(links!))),
        1,
      );
      const shares = flows.map(shareOf);
      expect(mean(shares)).to.be.closeTo(mean(model), 0.09);
      expect(fairness(shares)).to.be.at.least(leastFairness - 0.03);

      // What links say that they carried is what flows say that went over them.
      const { loads } = linksSchema.parse(JSON.parse(readFileSync(join(bundle, bundleFiles.links), "utf8")));
      const claimed = new Map<string, number>();
      for (const { subflows: own } of flows)
        for (const { links, bytesAcked } of own)
          for (const link of directed(links!)) claimed.set(link, (claimed.get(link) ?? 0) + bytesAcked);
      for (const [link, bytes] of claimed) {
        const [name, way] = link.split(" ");
        const load = loads!.find((one) => one.link === name && (one.direction === "forward") === (way === "up"))!;
        expect(load.bytes, link).to.be.at.least(bytes);
      }
    });
  }
});

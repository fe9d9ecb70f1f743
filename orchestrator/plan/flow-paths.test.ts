import { expect } from "chai";
import { formatEndpoint } from "../../stack/wire/ip-address.ts";
import { fatTree } from "../model/generate/fat-tree.ts";
import { Graph } from "../model/generate/graph.fixture.ts";
import { addressFamilies, type AddressFamily } from "../model/ip-address.ts";
import type { Experiment } from "../model/experiment.ts";
import type { Topology } from "../model/topology.ts";
import { FlowPaths } from "./flow-paths.ts";
import { makePlan } from "./make-plan.ts";
import type { Plan } from "./plan.ts";

const generated = fatTree.generate({ k: 4, rate: 100e6, delay: 10, buffer: { packets: 100 } });

function planOn(on: "simulation" | "namespaces", addressing: AddressFamily, seededFlowHash = false): Plan {
  const topology: Topology = {
    version: 1,
    name: "tree",
    addressing,
    hosts: Object.fromEntries(generated.hosts.map((name) => [name, {}])),
    routers: Object.fromEntries(generated.switches.map((name) => [name, { kind: "switch" }])),
    links: Object.fromEntries(
      Object.entries(generated.links).map(([name, { ends, shape }]) => [
        name,
        { ends: [{ node: ends[0] }, { node: ends[1] }], shape: shape! },
      ]),
    ),
    profiles: {},
  };
  const experiment: Experiment = {
    version: 1,
    name: "paths",
    topology: "none",
    seed: 7,
    repeat: 1,
    on,
    hosts: {},
    workload: {},
    traffic: { all: { pattern: "permutation", sizeBytes: 1e6, startMicroseconds: 0 } },
    faults: [],
    expect: {},
    capture: { enabled: false, snapLength: 128 },
    metrics: { intervalMicroseconds: 100_000 },
    baselines: {},
  };
  const made = makePlan(experiment, topology, { lab: "0000", abilities: { netem: false, seededFlowHash } });
  if (!made.ok) throw new Error(JSON.stringify(made.complaints));
  return made.value;
}

const id = (from: string, port: number, to: string): string =>
  `${formatEndpoint(from, port)}-${formatEndpoint(to, 5001)}`;

const addressOf = (plan: Plan, host: string): string =>
  plan.nodes.find(({ name }) => name === host)!.interfaces[0]!.address;

for (const addressing of addressFamilies)
  describe(`the paths of flows of ${addressing}`, () => {
    it("are shortest ones, and many ports find all of them", () => {
      const plan = planOn("simulation", addressing);
      const paths = new FlowPaths(plan);
      const shortest = new Graph(generated).pathsFrom("host-0-0-0");
      for (const to of ["host-0-0-1", "host-0-1-0", "host-3-1-1"]) {
        const found = new Set<string>();
        for (let port = 40_000; port < 40_200; port++) {
          const links = paths.linksOf(id(addressOf(plan, "host-0-0-0"), port, addressOf(plan, to)))!;
          expect(links).to.have.length(shortest.get(to)!.length);
          found.add(links.join(" "));
        }
        expect(found.size, to).to.equal(shortest.get(to)!.count);
      }
    });

    it("are the simulation's own where kernels take seeds", () => {
      const [simulated, seeded] = (["simulation", "namespaces"] as const).map((on) => planOn(on, addressing, true));
      const [expected, onKernels] = [new FlowPaths(simulated!), new FlowPaths(seeded!)];
      for (let port = 40_000; port < 40_050; port++) {
        const flow = id(addressOf(simulated!, "host-0-0-0"), port, addressOf(simulated!, "host-3-1-1"));
        expect(onKernels.linksOf(flow)).to.deep.equal(expected.linksOf(flow)).and.to.have.length(6);
      }
    });

    it("are not known where a kernel without a seed chooses among several", () => {
      const plan = planOn("namespaces", addressing);
      const paths = new FlowPaths(plan);
      const from = addressOf(plan, "host-0-0-0");
      expect(paths.linksOf(id(from, 40_000, addressOf(plan, "host-0-0-1")))).to.deep.equal([
        "access-0-0-0",
        "access-0-0-1",
      ]);
      expect(paths.linksOf(id(from, 40_000, addressOf(plan, "host-1-0-0")))).to.equal(undefined);
      expect(paths.linksOf(id(from, 40_000, "192.0.2.1"))).to.equal(undefined);
    });
  });

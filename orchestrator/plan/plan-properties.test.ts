import { expect } from "chai";
import * as fc from "fast-check";
import {
  addressFamilies,
  familyOfText,
  formatIpAddress,
  parseAddress,
  parseSubnet,
  subnetContains,
  type IpAddress,
} from "../model/ip-address.ts";
import type { Experiment } from "../model/experiment.ts";
import type { Topology, TopologyLink } from "../model/topology.ts";
import { makePlan } from "./make-plan.ts";
import type { Plan, PlannedNode } from "./plan.ts";

const experiment: Experiment = {
  version: 1,
  name: "property",
  topology: "none",
  seed: 7,
  repeat: 1,
  on: "namespaces",
  hosts: {
    h0: {
      endpoint: "linux-mptcp",
      congestionControl: "cubic",
      scheduler: "default",
      pathManager: "kernel",
      subflows: 9,
      sendBufferBytes: 1e6,
      receiveBufferBytes: 1e6,
      backup: [],
      options: {},
    },
  },
  workload: { w: { kind: "bulk", from: "h1", to: "h0", client: "h0", sizeBytes: 1e6, startMicroseconds: 0 } },
  traffic: {},
  faults: [],
  expect: {},
  capture: { enabled: false, snapLength: 128 },
  metrics: { intervalMicroseconds: 100_000 },
  baselines: {},
};

const shape = { up: { rateBitsPerSecond: 1e6 }, down: { rateBitsPerSecond: 1e6 } };

const nodes = (names: readonly string[]): Record<string, object> => Object.fromEntries(names.map((name) => [name, {}]));

const inTheMiddle = {
  ipv4: { address: "10.0.2.9", prefixLength: 23 },
  ipv6: { address: "2001:db8:0:2::9", prefixLength: 63 },
} as const;

/** Routers in a tree with some further links, hosts at one to three of them. */
const topologies = fc
  .record({
    parents: fc.array(fc.nat(), { minLength: 0, maxLength: 6 }),
    extra: fc.array(fc.tuple(fc.nat(), fc.nat()), { maxLength: 3 }),
    hosts: fc.array(fc.array(fc.nat(), { minLength: 1, maxLength: 3 }), { minLength: 2, maxLength: 5 }),
    shaped: fc.array(fc.boolean(), { minLength: 30, maxLength: 30 }),
    addressing: fc.constantFrom(...addressFamilies),
    fixed: fc.option(fc.nat({ max: 20 }), { nil: undefined }),
  })
  .map(({ parents, extra, hosts, shaped, addressing, fixed }): Topology => {
    const routers = ["r0", ...parents.map((_, index) => `r${index + 1}`)];
    const at = (index: number): string => routers[index % routers.length]!;
    const joins = [
      ...hosts.flatMap((places, host) => places.map((place) => [`h${host}`, at(place)] as const)),
      ...parents.map((parent, index) => [`r${index + 1}`, `r${parent % (index + 1)}`] as const),
      ...extra.map(([a, b]) => [at(a), at(b)] as const).filter(([a, b]) => a !== b),
    ];
    const links = joins.map(([a, b], index): [string, TopologyLink] => {
      // One link may sit in the middle of the range that the plan numbers its own subnets from.
      const address = index === fixed ? inTheMiddle[addressing] : undefined;
      return [
        `link-${index}`,
        { ends: [{ node: a, ...(address && { address }) }, { node: b }], ...(shaped[index % 30] && { shape }) },
      ];
    });
    return {
      version: 1,
      name: "property",
      addressing,
      hosts: nodes(hosts.map((_, index) => `h${index}`)),
      routers: nodes(routers),
      links: Object.fromEntries(links),
      profiles: {},
    };
  });

function plan(topology: Topology): Plan {
  const result = makePlan(experiment, topology, { lab: "beef", abilities: { netem: false } });
  if (!result.ok) throw new Error(JSON.stringify(result.complaints));
  return result.value;
}

const interfaces = ({ nodes }: Plan) =>
  nodes.flatMap((node) => node.interfaces.map((own) => ({ node: node.name, ...own })));

/** Follows the routes as a kernel does: connected subnets, then the longest prefix. */
function follow(of: Plan, from: PlannedNode, destination: string, source?: string): string[] {
  const target = parseAddress(destination)!;
  const visited = [from.name];
  let node = from;
  for (let hops = 0; hops < 20; hops++) {
    if (node.interfaces.some(({ address }) => address === destination)) return visited;
    const own = node.sourceRoutes.find((rule) => rule.from === source)?.routes ?? node.routes;
    const connected = node.interfaces.find(({ address, prefixLength }) => inSubnet(target, address, prefixLength));
    const route =
      own.find(({ destination: subnet }) => subnet !== "default" && contains(subnet, target)) ??
      own.find((candidate) => candidate.destination === "default");
    const next = connected ? destination : route?.via;
    if (next === undefined) break;
    node = of.nodes.find((candidate) => candidate.interfaces.some(({ address }) => address === next))!;
    if (node.kind === "host" && node.interfaces.every(({ address }) => address !== destination)) break;
    visited.push(node.name);
  }
  return [...visited, "lost"];
}

const inSubnet = (target: IpAddress, address: string, prefixLength: number): boolean =>
  contains(`${address}/${prefixLength}`, target);

const contains = (subnet: string, target: IpAddress): boolean =>
  subnetContains(parseSubnet(subnet, familyOfText(subnet)), target);

describe("any plan", () => {
  it("gives each interface an address, an Ethernet address and a name of its own", () => {
    fc.assert(
      fc.property(topologies, (topology) => {
        const all = interfaces(plan(topology));
        expect(new Set(all.map(({ address }) => address)).size).to.equal(all.length);
        expect(new Set(all.map(({ mac }) => mac)).size).to.equal(all.length);
        expect(new Set(all.map(({ node, name }) => `${node}:${name}`)).size).to.equal(all.length);
        for (const { mac, address } of all) {
          expect(Number.parseInt(mac.slice(0, 2), 16) & 3, mac).to.equal(2);
          expect(formatIpAddress(parseAddress(address)!)).to.equal(address);
          expect(familyOfText(address)).to.equal(topology.addressing);
        }
      }),
    );
  });

  it("puts the two ends of a link, and nobody else, into one subnet", () => {
    fc.assert(
      fc.property(topologies, (topology) => {
        const all = interfaces(plan(topology));
        for (const a of all) {
          for (const b of all) {
            const together = inSubnet(parseAddress(b.address)!, a.address, a.prefixLength);
            expect(together, `${a.node}:${a.name} and ${b.node}:${b.name}`).to.equal(a.link === b.link);
          }
        }
      }),
    );
  });

  it("has routes from every node to every address, and back", () => {
    fc.assert(
      fc.property(topologies, (topology) => {
        const made = plan(topology);
        for (const node of made.nodes) {
          for (const { address } of interfaces(made))
            expect(follow(made, node, address), `${node.name} to ${address}`).not.to.include("lost");
        }
      }),
      { numRuns: 50 },
    );
  });

  it("sends a kernel host's packets out of the interface whose address they bear", () => {
    fc.assert(
      fc.property(topologies, (topology) => {
        const made = plan(topology);
        const h0 = made.nodes.find(({ name }) => name === "h0")!;
        for (const { address, gateway, prefixLength } of h0.interfaces) {
          for (const target of made.nodes.find(({ name }) => name === "h1")!.interfaces) {
            const [, first] = follow(made, h0, target.address, h0.sourceRoutes.length > 0 ? address : undefined);
            const router = made.nodes.find(({ interfaces: own }) =>
              own.some((candidate) => candidate.address === gateway),
            )!.name;
            if (!inSubnet(parseAddress(target.address)!, address, prefixLength)) expect(first).to.equal(router);
          }
        }
      }),
      { numRuns: 50 },
    );
  });

  it("keeps to the kernel's limits of names", () => {
    fc.assert(
      fc.property(topologies, (topology) => {
        const made = plan(topology);
        const names = [
          ...interfaces(made).map(({ name }) => name),
          ...made.links.flatMap(({ ends }) => ends.flatMap(({ emulatorInterface }) => emulatorInterface ?? [])),
        ];
        for (const name of names) expect(name).to.match(/^[a-z0-9]{1,15}$/);
        const middle = made.links.flatMap(({ ends }) =>
          ends.flatMap(({ emulatorInterface }) => emulatorInterface ?? []),
        );
        expect(new Set(middle).size).to.equal(middle.length);
        for (const { systemName } of made.nodes) expect(systemName).to.match(/^pl-beef-[a-z0-9-]+$/);
      }),
    );
  });

  it("sends single segments where a queue counts them, and lets plain hosts offload", () => {
    fc.assert(
      fc.property(topologies, (topology) => {
        const made = plan(topology);
        const shaped = made.links.some(({ realisation }) => realisation !== "direct");
        for (const node of made.nodes.filter(({ kind }) => kind === "host")) {
          for (const own of node.interfaces) expect(own.offload).to.equal(!shaped);
        }
        for (const { ends, realisation } of made.links) {
          if (realisation === "direct") continue;
          for (const end of ends)
            expect(
              interfaces(made).find(({ node, name }) => node === end.node && name === end.interface)!.offload,
            ).to.equal(false);
        }
      }),
    );
  });

  it("leaves the random numbers of a link as they were when something is added", () => {
    fc.assert(
      fc.property(topologies, (topology) => {
        const before = plan(topology);
        const grown: Topology = {
          ...topology,
          hosts: { ...topology.hosts, late: {} },
          links: { first: { ends: [{ node: "late" }, { node: "r0" }], shape }, ...topology.links },
        };
        const after = plan(grown);
        for (const { name, forward, backward } of before.links) {
          const same = after.links.find((link) => link.name === name)!;
          expect([same.forward.seed, same.backward.seed]).to.deep.equal([forward.seed, backward.seed]);
        }
        expect(after.workloads.map(({ payloadSeed }) => payloadSeed)).to.deep.equal(
          before.workloads.map(({ payloadSeed }) => payloadSeed),
        );
        const seeds = after.links.flatMap(({ forward, backward }) => [forward.seed, backward.seed]);
        expect(new Set(seeds).size).to.equal(seeds.length);
      }),
    );
  });
});

/** BCube's disjoint paths as the plan's routes make them, after all merging of prefixes. */
import { expect } from "chai";
import * as fc from "fast-check";
import { bcubeNextLink } from "../model/generate/bcube-paths.ts";
import { bcube } from "../model/generate/bcube.ts";
import type { Topology } from "../model/topology.ts";
import { addressLinks, type AddressedLink } from "./addressing.ts";
import { Routing } from "./routing.ts";
import { parseAddress, parseSubnet, subnetContains } from "../model/ip-address.ts";

interface Network {
  readonly links: readonly AddressedLink[];
  readonly routing: Routing;
}

function network(ports: number, levels: number): Network {
  const made = bcube.generate({ ports, levels, paths: "disjoint", rate: 10e6, delay: 0, buffer: { packets: 100 } });
  const names = (list: readonly string[]) => Object.fromEntries(list.map((name) => [name, {}]));
  const topology: Topology = {
    version: 1,
    name: "bcube",
    addressing: "ipv4",
    hosts: names(made.hosts),
    routers: names([...made.routers, ...made.switches]),
    links: Object.fromEntries(
      Object.entries(made.links).map(([name, { ends }]) => [name, { ends: [{ node: ends[0] }, { node: ends[1] }] }]),
    ),
    profiles: {},
  };
  const links = addressLinks(topology, "beef");
  return { links, routing: new Routing(links, { nextLink: bcubeNextLink({ ports, levels }) }) };
}

/** Nodes between two servers' forwarders, in order. */
function nodesOnPath({ links, routing }: Network, from: number, to: number, level: number): string[] {
  const destination = links.find(({ name }) => name === `inside-${to}-${level}`)!.ends[0].address;
  const nodes: string[] = [];
  let node = `forwarder-${from}`;
  while (node !== `forwarder-${to}`) {
    if (nodes.length > 100)
      throw new Error(`packets to ${destination} turn in circles at ${nodes.slice(-6).join(", ")}`);
    const connected = links.find(
      ({ subnet, ends }) => ends.some((end) => end.node === node) && subnetContains(subnet, parseAddress(destination)!),
    );
    const route = routing
      .routesOf(node)
      .map((candidate) => ({ candidate, subnet: parseSubnet(candidate.destination, "ipv4") }))
      .filter(({ subnet }) => subnetContains(subnet, parseAddress(destination)!))
      .sort((a, b) => b.subnet.prefixLength - a.subnet.prefixLength)[0]?.candidate;
    if (connected === undefined && route === undefined) throw new Error(`${node} has no route to ${destination}`);
    expect(route?.equalCost).to.equal(undefined);
    const link = links.find(({ ends }) => ends.some((end) => end.node === node && end.interface === route!.interface))!;
    node = link.ends.find((end) => end.node !== node)!.node;
    nodes.push(node);
  }
  return nodes.slice(0, -1);
}

const digitsThatDiffer = (a: number, b: number, ports: number, levels: number): number =>
  Array.from({ length: levels }, (_, level) => Math.floor(a / ports ** level) % ports).filter(
    (digit, level) => digit !== Math.floor(b / ports ** level) % ports,
  ).length;

describe("BCube's paths by addresses", function () {
  this.timeout(60_000);

  it("are k + 1 that share no server and no switch, of the paper's lengths, between any two servers", () => {
    const known = new Map<string, Network>();
    fc.assert(
      fc.property(
        fc.integer({ min: 2, max: 4 }),
        fc.integer({ min: 1, max: 3 }),
        fc.nat(),
        fc.nat(),
        (ports, levels, one, other) => {
          const servers = ports ** levels;
          const from = one % servers;
          const to = other % servers;
          fc.pre(from !== to);
          const key = `${ports} ${levels}`;
          const own = known.get(key) ?? network(ports, levels);
          known.set(key, own);
          const paths = Array.from({ length: levels }, (_, level) => nodesOnPath(own, from, to, level));
          const nodes = paths.flat();
          expect(new Set(nodes).size).to.equal(nodes.length);
          const differ = digitsThatDiffer(from, to, ports, levels);
          // A path that corrects h digits has h switches and h - 1 servers between; a detour corrects one digit twice.
          const direct = Array.from({ length: differ }, () => 2 * differ - 1);
          const detours = Array.from({ length: levels - differ }, () => 2 * (differ + 2) - 1);
          expect(paths.map(({ length }) => length).sort((a, b) => a - b)).to.deep.equal([...direct, ...detours]);
        },
      ),
      { numRuns: 60 },
    );
  });
});

/** Which links a flow crosses, as far as the plan decides it: routes, and the seeded choice among next hops of equal cost. */
import { familyOfText, parseAddress, parseSubnet, subnetContains, type Subnet } from "../model/ip-address.ts";
import { flowHash, pickNextHop, type FlowTuple } from "../path/flow-hash.ts";
import { parseSubflowId, type SubflowEnd } from "./subflow-id.ts";
import { addressesOf } from "./plan.ts";
import type { Plan, PlannedInterface, PlannedNextHop, PlannedNode, PlannedRoute } from "./plan.ts";

const tcp = 6;
const mostHops = 64;

interface Prefix extends Subnet {
  readonly hops: readonly (Partial<PlannedNextHop> & { readonly interface: string })[];
}

/** A link, and the node that sends over it. */
export interface PathStep {
  readonly link: string;
  readonly from: string;
}

export class FlowPaths {
  readonly #nodes: ReadonlyMap<string, PlannedNode>;
  readonly #owners = new Map<string, PlannedNode>();
  /** By node and interface. */
  readonly #peers = new Map<string, string>();
  readonly #tables = new Map<string, readonly Prefix[]>();

  constructor(plan: Pick<Plan, "nodes" | "links">) {
    this.#nodes = new Map(plan.nodes.map((node) => [node.name, node]));
    for (const node of plan.nodes)
      for (const { address } of node.interfaces.flatMap(addressesOf)) this.#owners.set(address, node);
    for (const {
      ends: [a, b],
    } of plan.links) {
      this.#peers.set(`${a.node}:${a.interface}`, b.node);
      this.#peers.set(`${b.node}:${b.interface}`, a.node);
    }
  }

  /**
   * Names of the links from the first end to the second, in order. Undefined where the plan does not say: addresses of nobody, no route, the choice among
   * several next hops of a kernel that takes no seed, or a choice for each packet. Routes are those of the plan's beginning, before any failure.
   *
   * @param subflow local and remote end as in metrics: `10.0.1.2:40000-10.0.9.2:5001`, `[2001:db8:0:1::2]:40000-[2001:db8:0:9::2]:5001`
   */
  linksOf(subflow: string): string[] | undefined {
    const ends = parseSubflowId(subflow);
    return ends && this.stepsBetween(ends.local, ends.remote)?.map(({ link }) => link);
  }

  /** The same, with the nodes that send. */
  stepsBetween(local: SubflowEnd, remote: SubflowEnd): PathStep[] | undefined {
    const { address: source, port: sourcePort } = local;
    const { address: destination, port: destinationPort } = remote;
    const from = this.#owners.get(source);
    if (from === undefined || !this.#owners.has(destination)) return undefined;
    const tuple: FlowTuple = {
      source: parseAddress(source)!,
      destination: parseAddress(destination)!,
      protocol: tcp,
      sourcePort,
      destinationPort,
    };
    const steps: PathStep[] = [];
    // A host sends from the interface whose address it is.
    let out = from.interfaces.find((own) => hasAddress(own, source))!;
    let node = from;
    while (steps.length < mostHops) {
      steps.push({ link: out.link, from: node.name });
      node = this.#nodes.get(this.#peers.get(`${node.name}:${out.name}`)!)!;
      if (node.interfaces.some((own) => hasAddress(own, destination))) return steps;
      const next = node.kind === "host" ? undefined : this.#nextInterface(node, tuple);
      if (next === undefined) return undefined;
      out = node.interfaces.find(({ name }) => name === next)!;
    }
    return undefined;
  }

  /** The address that a host's first subflow to `destination` comes from. Undefined: it has no route. */
  sourceOf(host: string, destination: string): string | undefined {
    const node = this.#nodes.get(host)!;
    const wanted = parseAddress(destination)!;
    const hops = this.#table(node).find((prefix) => subnetContains(prefix, wanted))?.hops;
    const own = node.interfaces.find(({ name }) => name === hops?.[0]!.interface);
    const family = familyOfText(destination);
    return own && addressesOf(own).find(({ address }) => familyOfText(address) === family)?.address;
  }

  #nextInterface(node: PlannedNode, tuple: FlowTuple): string | undefined {
    const hops = this.#table(node).find((prefix) => subnetContains(prefix, tuple.destination))?.hops;
    if (hops === undefined || hops.length === 1) return hops?.[0]!.interface;
    if (node.flowHashSeed === undefined) return undefined;
    const { source, destination, protocol, sourcePort, destinationPort } = tuple;
    const hash = flowHash(node.flowHashSeed, source, destination, protocol, sourcePort, destinationPort);
    return hops[pickNextHop(hash, hops.length)]!.interface;
  }

  /** Longest prefix first, and of two alike the interface's own. */
  #table(node: PlannedNode): readonly Prefix[] {
    const known = this.#tables.get(node.name);
    if (known !== undefined) return known;
    const connected = node.interfaces.flatMap((own) =>
      addressesOf(own).map(({ address, prefixLength }) => ({
        ...parseSubnet(`${address}/${prefixLength}`, familyOfText(address)),
        hops: [{ interface: own.name }],
      })),
    );
    const table = [...connected, ...node.routes.map(routePrefix)].sort((a, b) => b.prefixLength - a.prefixLength);
    this.#tables.set(node.name, table);
    return table;
  }
}

function hasAddress(own: PlannedInterface, wanted: string): boolean {
  return addressesOf(own).some(({ address }) => address === wanted);
}

function routePrefix({ destination, via, interface: name, equalCost = [] }: PlannedRoute): Prefix {
  const first = { interface: name, ...(via !== undefined && { via }) };
  return { ...parseSubnet(destination, familyOfText(via ?? destination)), hops: [first, ...equalCost] };
}

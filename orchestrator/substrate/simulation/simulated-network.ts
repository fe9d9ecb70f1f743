/** The plan's nodes and links as objects in virtual time. */
import type { HostOptions } from "../../../stack/host-options.ts";
import { ethernetHeaderLength, parseMac, type MacAddress } from "../../../stack/wire/ethernet.ts";
import { familyOfText, parseAddress, parseSubnet, type IpAddress } from "../../model/ip-address.ts";
import type { LinkDirectionConfig } from "../../path/link-direction.ts";
import { addressesOf } from "../../plan/plan.ts";
import type { Plan, PlannedLink, PlannedNode, PlannedRoute } from "../../plan/plan.ts";
import type { LinkSample } from "../../metrics/link-sample.ts";
import { SimulationError, type Engine } from "./engine.ts";
import { FramePool } from "./frame-pool.ts";
import { Router, type Route } from "./router.ts";
import { SimulatedHost, type FrameTap } from "./simulated-host.ts";
import { DirectWire, ShapedWire, type ReceiveFrame, type Wire } from "./wire.ts";

export interface NetworkOptions {
  readonly engine: Engine;
  readonly plan: Plan;
  /** What our stack is to be on a host. */
  readonly hostOptions: (node: PlannedNode) => HostOptions;
  /** Who sees the frames of a host. */
  readonly tapOf: (node: PlannedNode) => FrameTap | undefined;
  /** A node met something that a person should know. */
  readonly onProblem: (node: string, message: string) => void;
}

type SimulatedNode = SimulatedHost | Router;

interface ShapedLink {
  readonly name: string;
  readonly forward: ShapedWire;
  readonly backward: ShapedWire;
}

export class SimulatedNetwork {
  readonly #options: NetworkOptions;
  readonly #pool: FramePool;
  readonly #nodes = new Map<string, SimulatedNode>();
  readonly #planned: ReadonlyMap<string, PlannedNode>;
  readonly #linksAt = new Map<string, PlannedLink[]>();
  readonly #shaped = new Map<string, ShapedLink>();

  constructor(options: NetworkOptions) {
    this.#options = options;
    const { plan } = options;
    const longest = Math.max(...plan.nodes.flatMap(({ interfaces }) => interfaces.map(({ mtu }) => mtu)));
    this.#pool = new FramePool(ethernetHeaderLength + longest);
    this.#planned = new Map(plan.nodes.map((node) => [node.name, node]));
    for (const link of plan.links)
      for (const { node } of link.ends) this.#linksAt.set(node, [...(this.#linksAt.get(node) ?? []), link]);
    for (const node of plan.nodes)
      this.#nodes.set(node.name, node.kind === "host" ? this.#makeHost(node) : this.#makeRouter(node));
    for (const link of plan.links) this.#connect(link);
  }

  host(name: string): SimulatedHost {
    const node = this.#nodes.get(name);
    if (!(node instanceof SimulatedHost)) throw new SimulationError(`the plan has no host ${name}`);
    return node;
  }

  setInterface(node: string, interfaceName: string, state: "up" | "down"): void {
    this.#nodes.get(node)!.setInterfaceUp(interfaceIndex(this.#plannedNode(node), interfaceName), state === "up");
  }

  /** In the place of those that the router had. */
  setRoutes(name: string, routes: readonly PlannedRoute[]): void {
    const router = this.#nodes.get(name);
    if (!(router instanceof Router)) throw new SimulationError(`the plan has no router ${name}`);
    router.setRoutes(routesOf(this.#plannedNode(name), routes));
  }

  blackhole(link: string, isOn: boolean): void {
    const { forward, backward } = this.#shapedLink(link);
    forward.blackhole = isOn;
    backward.blackhole = isOn;
  }

  configure(link: string, direction: "forward" | "backward", config: LinkDirectionConfig): void {
    this.#shapedLink(link)[direction].configure(config);
  }

  /** Of each direction of each link that shapes what it carries, as the emulator tells them. */
  linkSamples(time: number): LinkSample[] {
    return [...this.#shaped.values()].flatMap(({ name: link, ...directions }) =>
      (["forward", "backward"] as const).map((direction) => {
        const { packets, bytes, dropsQueue, dropsLoss, dropsBlackhole, queueBytes } = directions[direction].counters();
        return { time, link, direction, packets, bytes, dropsQueue, dropsLoss, dropsBlackhole, queueBytes };
      }),
    );
  }

  #makeHost(node: PlannedNode): SimulatedHost {
    const { engine, hostOptions, tapOf } = this.#options;
    const tap = tapOf(node);
    return new SimulatedHost({ engine, pool: this.#pool, host: hostOptions(node), ...(tap && { tap }) });
  }

  #makeRouter(node: PlannedNode): Router {
    return new Router({
      interfaces: node.interfaces.map((own) => ({
        name: own.name,
        mac: parseMac(own.mac)!,
        addresses: addressesOf(own).map(({ address, prefixLength }) => ({
          address: parseAddress(address)!,
          prefixLength,
        })),
        mtu: own.mtu,
      })),
      routes: routesOf(node, node.routes),
      neighbours: this.#neighboursOf(node),
      balancing: node.balancesPackets ? "packets" : { flowHashSeed: node.flowHashSeed ?? 1 },
      pool: this.#pool,
      onDrop: (reason) => this.#options.onProblem(node.name, `drops packets: ${reason}`),
    });
  }

  #neighboursOf(node: PlannedNode): Map<IpAddress, MacAddress> {
    const ends = (this.#linksAt.get(node.name) ?? []).flatMap(({ ends: [one, other] }) =>
      one.node === node.name ? [other] : other.node === node.name ? [one] : [],
    );
    return new Map(
      ends.flatMap((end) => {
        const peer = this.#plannedNode(end.node);
        const planned = peer.interfaces[interfaceIndex(peer, end.interface)]!;
        const mac = parseMac(planned.mac)!;
        return addressesOf(planned).map(({ address }): [IpAddress, MacAddress] => [parseAddress(address)!, mac]);
      }),
    );
  }

  #connect(link: PlannedLink): void {
    const [first, second] = link.ends.map((end) => {
      const node = this.#nodes.get(end.node)!;
      const index = interfaceIndex(this.#plannedNode(end.node), end.interface);
      const receive: ReceiveFrame = (frame) => node.receive(index, frame);
      return { receive, attach: (wire: Wire) => node.attach(index, wire) };
    }) as [
      { receive: ReceiveFrame; attach: (wire: Wire) => void },
      { receive: ReceiveFrame; attach: (wire: Wire) => void },
    ];
    const { engine } = this.#options;
    if (link.realisation === "direct") {
      first.attach(new DirectWire(engine, second.receive));
      second.attach(new DirectWire(engine, first.receive));
      return;
    }
    const forward = new ShapedWire(link.forward, engine, this.#pool, second.receive);
    const backward = new ShapedWire(link.backward, engine, this.#pool, first.receive);
    first.attach(forward);
    second.attach(backward);
    this.#shaped.set(link.name, { name: link.name, forward, backward });
  }

  #shapedLink(name: string): ShapedLink {
    const link = this.#shaped.get(name);
    if (link === undefined) {
      throw new SimulationError(
        `the link ${name} is direct: nothing stands between its ends that could drop or delay packets`,
      );
    }
    return link;
  }

  #plannedNode(name: string): PlannedNode {
    const node = this.#planned.get(name);
    if (node === undefined) throw new SimulationError(`the plan has no node ${name}`);
    return node;
  }
}

function routesOf(node: PlannedNode, routes: readonly PlannedRoute[]): Route[] {
  return routes.map(({ destination, via, interface: name, equalCost = [] }) => {
    const { network: prefix, prefixLength } = parseSubnet(destination, familyOfText(via ?? destination));
    const first = { interface: interfaceIndex(node, name), ...(via !== undefined && { via: parseAddress(via)! }) };
    const others = equalCost.map((hop) => ({
      via: parseAddress(hop.via)!,
      interface: interfaceIndex(node, hop.interface),
    }));
    return { prefix, prefixLength, hops: [first, ...others] };
  });
}

function interfaceIndex(node: PlannedNode, name: string): number {
  const index = node.interfaces.findIndex((candidate) => candidate.name === name);
  if (index < 0) throw new SimulationError(`the node ${node.name} has no interface ${name}`);
  return index;
}

/**
 * A router or switch: forwards IPv4 and IPv6 by the longest prefix, flows over next hops of equal cost by their hash, and answers ARP and neighbour solicitations for its own addresses. Its neighbours' hardware
 * addresses are those of the plan; it asks nobody. It forwards at once and has no queue: those are the links'.
 */
import { arpLength, arpOperation, parseArp, writeArp } from "../../../stack/wire/arp.ts";
import { etherType, ethernetHeaderLength, writeEthernetHeader, type MacAddress } from "../../../stack/wire/ethernet.ts";
import { formatIpAddress, inPrefix, type IpAddress, ipv4FromNumber } from "../../../stack/wire/ip-address.ts";
import { ipProtocol, ipv4HeaderLength } from "../../../stack/wire/ipv4.ts";
import { ipv6HeaderLength, writeIpv6Header } from "../../../stack/wire/ipv6.ts";
import { type Ipv6Address, isMulticast } from "../../../stack/wire/ipv6-address.ts";
import {
  neighbourAdvertisement,
  neighbourHopLimit,
  parseNeighbourMessage,
} from "../../../stack/wire/neighbour-discovery.ts";
import { pickNextHop } from "../../path/flow-hash.ts";
import { FlowHashes } from "../../path/flow-hashes.ts";
import type { Frame, FramePool, RewrittenAddresses } from "./frame-pool.ts";
import type { Wire } from "./wire.ts";

export interface RouterInterface {
  readonly name: string;
  readonly mac: MacAddress;
  /** Of each family at most one. */
  readonly addresses: readonly { readonly address: IpAddress; readonly prefixLength: number }[];
  readonly mtu: number;
}

export interface Route {
  readonly prefix: IpAddress;
  readonly prefixLength: number;
  /** One or more, of equal cost. */
  readonly hops: readonly RouteHop[];
}

export interface RouteHop {
  /** Absent: the destination itself is the next hop. */
  readonly via?: IpAddress;
  /** Index of the interface. */
  readonly interface: number;
}

export interface RouterOptions {
  readonly interfaces: readonly RouterInterface[];
  /** Besides those of the interfaces' own prefixes. */
  readonly routes: readonly Route[];
  /** Hardware addresses of all neighbours. */
  readonly neighbours: ReadonlyMap<IpAddress, MacAddress>;
  /** Among next hops of equal cost: by a hash of the flow, or each in turn. */
  readonly balancing: "packets" | { readonly flowHashSeed: number };
  readonly pool: FramePool;
  /** A packet could not be forwarded; the first of each reason and destination is told. */
  readonly onDrop: (reason: string) => void;
}

interface Port {
  readonly name: string;
  readonly mtu: number;
  isUp: boolean;
  wire: Wire | undefined;
}

interface NextHop {
  readonly port: Port;
  readonly addresses: RewrittenAddresses;
}

export class Router {
  readonly #options: RouterOptions;
  readonly #pool: FramePool;
  /** Undefined: each packet in turn. */
  readonly #flowHashes: FlowHashes | undefined;
  #routes: readonly Route[] = [];
  readonly #ports: readonly Port[];
  /** By destination as frames have it, filled on demand; empty: none. */
  readonly #nextHops = new Map<Frame["destination"], readonly NextHop[]>();
  readonly #toldDrops = new Set<string>();
  /** Packets that had a choice. */
  #balanced = 0;

  constructor(options: RouterOptions) {
    this.#options = options;
    this.#pool = options.pool;
    this.#flowHashes = options.balancing === "packets" ? undefined : new FlowHashes(options.balancing.flowHashSeed);
    this.#ports = options.interfaces.map(({ name, mtu }) => ({ name, mtu, isUp: true, wire: undefined }));
    this.setRoutes(options.routes);
  }

  /** In the place of those that there were. */
  setRoutes(routes: readonly Route[]): void {
    const connected = this.#options.interfaces.flatMap(({ addresses }, index) =>
      addresses.map(({ address, prefixLength }) => ({ prefix: address, prefixLength, hops: [{ interface: index }] })),
    );
    // The sort is stable: of equal prefixes the interface's own comes first.
    this.#routes = [...connected, ...routes].sort((a, b) => b.prefixLength - a.prefixLength);
    this.#nextHops.clear();
  }

  attach(interfaceIndex: number, wire: Wire): void {
    this.#ports[interfaceIndex]!.wire = wire;
  }

  setInterfaceUp(interfaceIndex: number, isUp: boolean): void {
    this.#ports[interfaceIndex]!.isUp = isUp;
  }

  receive(interfaceIndex: number, frame: Frame): void {
    if (!this.#ports[interfaceIndex]!.isUp) this.#pool.give(frame);
    else if (frame.etherType === etherType.ipv4 && frame.bytes >= ethernetHeaderLength + ipv4HeaderLength)
      this.#forward(frame);
    else if (frame.etherType === etherType.ipv6 && frame.bytes >= ethernetHeaderLength + ipv6HeaderLength)
      this.#receiveIpv6(interfaceIndex, frame);
    else if (frame.etherType === etherType.arp) this.#answerArp(interfaceIndex, frame);
    else this.#drop(frame, `EtherType 0x${frame.etherType.toString(16)}`);
  }

  #forward(frame: Frame): void {
    const { destination } = frame;
    let nextHops = this.#nextHops.get(destination);
    if (nextHops === undefined) this.#nextHops.set(destination, (nextHops = this.#look(addressOf(frame))));
    if (nextHops.length === 0) {
      this.#drop(frame, `no route to ${formatIpAddress(addressOf(frame))}`);
      return;
    }
    if (frame.timeToLive <= 1) {
      this.#drop(frame, `time to live exceeded on the way to ${formatIpAddress(addressOf(frame))}`);
      return;
    }
    const { port, addresses } = nextHops.length === 1 ? nextHops[0]! : nextHops[this.#choose(frame, nextHops.length)]!;
    if (frame.bytes - ethernetHeaderLength > port.mtu) {
      this.#drop(frame, `longer than the MTU of ${port.name} on the way to ${formatIpAddress(addressOf(frame))}`);
      return;
    }
    if (!port.isUp) {
      this.#pool.give(frame);
      return;
    }
    frame.timeToLive--;
    frame.rewritten = addresses;
    port.wire!.push(frame);
  }

  #look(destination: IpAddress): NextHop[] {
    const { interfaces, neighbours } = this.#options;
    const route = this.#routes.find(({ prefix, prefixLength }) => inPrefix(destination, prefix, prefixLength));
    return (route?.hops ?? []).flatMap(({ via, interface: out }) => {
      const mac = neighbours.get(via ?? destination);
      if (mac === undefined) return [];
      return [{ port: this.#ports[out]!, addresses: { source: interfaces[out]!.mac, destination: mac } }];
    });
  }

  #choose({ source, destination, protocol, ports }: Frame, count: number): number {
    if (this.#flowHashes === undefined) return this.#balanced++ % count;
    return pickNextHop(this.#flowHashes.of(source, destination, protocol, ports), count);
  }

  #answerArp(interfaceIndex: number, frame: Frame): void {
    const { view, start } = frame;
    const own = this.#options.interfaces[interfaceIndex]!;
    const request = parseArp(view, start + ethernetHeaderLength, frame.bytes - ethernetHeaderLength);
    if (request === undefined || request.operation !== arpOperation.request || !isOwn(own, request.targetAddress)) {
      this.#pool.give(frame);
      return;
    }
    frame.bytes = ethernetHeaderLength + arpLength;
    frame.headerBytes = frame.bytes;
    writeEthernetHeader(view, start, request.senderMac, own.mac, etherType.arp);
    writeArp(view, start + ethernetHeaderLength, {
      operation: arpOperation.reply,
      senderMac: own.mac,
      senderAddress: request.targetAddress,
      targetMac: request.senderMac,
      targetAddress: request.senderAddress,
    });
    this.#ports[interfaceIndex]!.wire!.push(frame);
  }

  /** What is for a group, or for the router itself, goes no further. */
  #receiveIpv6(interfaceIndex: number, frame: Frame): void {
    const { destination } = frame;
    const own = this.#options.interfaces[interfaceIndex]!;
    if (typeof destination !== "number" && (isMulticast(destination) || isOwn(own, destination)))
      this.#answerSolicitation(interfaceIndex, frame, own);
    else this.#forward(frame);
  }

  /** RFC 4861 §7.2.4. */
  #answerSolicitation(interfaceIndex: number, frame: Frame, own: RouterInterface): void {
    const pool = this.#pool;
    const { source, view, start } = frame;
    const at = start + ethernetHeaderLength + ipv6HeaderLength;
    const isWhole = frame.headerBytes === frame.bytes && frame.protocol === ipProtocol.icmpv6;
    const message =
      isWhole && frame.timeToLive === neighbourHopLimit
        ? parseNeighbourMessage(view, at, frame.bytes - ethernetHeaderLength - ipv6HeaderLength)
        : undefined;
    pool.give(frame);
    if (message?.mac === undefined || !message.isSolicitation || !isOwn(own, message.target)) return;
    this.#ports[interfaceIndex]!.wire!.push(
      advertisement(pool, own.mac, message.target, message.mac, source as Ipv6Address),
    );
  }

  #drop(frame: Frame, reason: string): void {
    this.#pool.give(frame);
    if (this.#toldDrops.has(reason)) return;
    this.#toldDrops.add(reason);
    this.#options.onDrop(reason);
  }
}

function isOwn({ addresses }: RouterInterface, wanted: IpAddress): boolean {
  return addresses.some(({ address }) => address === wanted);
}

function addressOf({ destination }: Frame): IpAddress {
  return typeof destination === "number" ? ipv4FromNumber(destination >>> 0) : destination;
}

/** Tells `asker` that `target` has `mac`. */
function advertisement(
  pool: FramePool,
  mac: MacAddress,
  target: Ipv6Address,
  askerMac: MacAddress,
  asker: Ipv6Address,
): Frame {
  const message = neighbourAdvertisement(target, asker, mac, true);
  const frame = pool.take(ethernetHeaderLength + ipv6HeaderLength + message.length);
  const { view, memory, start } = frame;
  writeEthernetHeader(view, start, askerMac, mac, etherType.ipv6);
  const packet = start + ethernetHeaderLength;
  writeIpv6Header(view, packet, message.length, ipProtocol.icmpv6, target, asker, 0, 0, neighbourHopLimit);
  memory.set(message, packet + ipv6HeaderLength);
  frame.identify();
  return frame;
}

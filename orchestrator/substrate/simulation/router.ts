/**
 * A router or switch: forwards IPv4 by the longest prefix, flows over next hops of equal cost by their hash, and answers ARP for its own addresses. Its neighbours' hardware addresses are those of the plan; it asks
 * nobody. It forwards at once and has no queue: those are the links'.
 */
import { arpLength, arpOperation, parseArp, writeArp } from "../../../stack/wire/arp.ts";
import { etherType, ethernetHeaderLength, writeEthernetHeader, type MacAddress } from "../../../stack/wire/ethernet.ts";
import { formatIpAddress, inPrefix, type Ipv4Address, ipv4FromNumber } from "../../../stack/wire/ip-address.ts";
import { ipv4HeaderLength } from "../../../stack/wire/ipv4.ts";
import { flowHash, pickNextHop } from "../../path/flow-hash.ts";
import type { Frame, FramePool } from "./frame-pool.ts";
import type { Wire } from "./wire.ts";

export interface RouterInterface {
  readonly name: string;
  readonly mac: MacAddress;
  readonly address: Ipv4Address;
  readonly prefixLength: number;
  readonly mtu: number;
}

export interface Route {
  readonly prefix: Ipv4Address;
  readonly prefixLength: number;
  /** One or more, of equal cost. */
  readonly hops: readonly RouteHop[];
}

export interface RouteHop {
  /** Absent: the destination itself is the next hop. */
  readonly via?: Ipv4Address;
  /** Index of the interface. */
  readonly interface: number;
}

export interface RouterOptions {
  readonly interfaces: readonly RouterInterface[];
  /** Besides those of the interfaces' own prefixes. */
  readonly routes: readonly Route[];
  /** Hardware addresses of all neighbours. */
  readonly neighbours: ReadonlyMap<Ipv4Address, MacAddress>;
  /** Of the hash that chooses among next hops of equal cost. */
  readonly flowHashSeed: number;
  readonly pool: FramePool;
  /** A packet could not be forwarded; the first of each reason and destination is told. */
  readonly onDrop: (reason: string) => void;
}

interface NextHop {
  readonly interface: number;
  readonly mac: MacAddress;
}

const timeToLiveOffset = ethernetHeaderLength + 8;
const headerChecksumOffset = ethernetHeaderLength + 10;
const fragmentOffset = ethernetHeaderLength + 6;
const protocolOffset = ethernetHeaderLength + 9;
const sourceOffset = ethernetHeaderLength + 12;
const destinationOffset = ethernetHeaderLength + 16;

export class Router {
  readonly #options: RouterOptions;
  #routes: readonly Route[] = [];
  readonly #wires: Wire[] = [];
  readonly #isUp: boolean[];
  /** By destination, filled on demand; empty: none. */
  readonly #nextHops = new Map<Ipv4Address, readonly NextHop[]>();
  readonly #toldDrops = new Set<string>();

  constructor(options: RouterOptions) {
    this.#options = options;
    this.#isUp = options.interfaces.map(() => true);
    this.setRoutes(options.routes);
  }

  /** In the place of those that there were. */
  setRoutes(routes: readonly Route[]): void {
    const connected = this.#options.interfaces.map(({ address, prefixLength }, index) => ({
      prefix: address,
      prefixLength,
      hops: [{ interface: index }],
    }));
    // The sort is stable: of equal prefixes the interface's own comes first.
    this.#routes = [...connected, ...routes].sort((a, b) => b.prefixLength - a.prefixLength);
    this.#nextHops.clear();
  }

  attach(interfaceIndex: number, wire: Wire): void {
    this.#wires[interfaceIndex] = wire;
  }

  setInterfaceUp(interfaceIndex: number, isUp: boolean): void {
    this.#isUp[interfaceIndex] = isUp;
  }

  receive(interfaceIndex: number, frame: Frame): void {
    if (!this.#isUp[interfaceIndex]) {
      this.#options.pool.give(frame);
      return;
    }
    const type = frame.view.getUint16(frame.start + 12);
    if (type === etherType.ipv4 && frame.bytes >= ethernetHeaderLength + ipv4HeaderLength) this.#forward(frame);
    else if (type === etherType.arp) this.#answerArp(interfaceIndex, frame);
    else this.#drop(frame, `EtherType 0x${type.toString(16)}`);
  }

  #forward(frame: Frame): void {
    const { view, start } = frame;
    const destination = ipv4FromNumber(view.getUint32(start + destinationOffset));
    let nextHops = this.#nextHops.get(destination);
    if (nextHops === undefined) this.#nextHops.set(destination, (nextHops = this.#look(destination)));
    if (nextHops.length === 0) {
      this.#drop(frame, `no route to ${formatIpAddress(destination)}`);
      return;
    }
    const timeToLive = view.getUint8(start + timeToLiveOffset);
    if (timeToLive <= 1) {
      this.#drop(frame, `time to live exceeded on the way to ${formatIpAddress(destination)}`);
      return;
    }
    const nextHop = nextHops.length === 1 ? nextHops[0]! : nextHops[this.#choose(frame, nextHops.length)]!;
    const out = nextHop.interface;
    const via = this.#options.interfaces[out]!;
    if (frame.bytes - ethernetHeaderLength > via.mtu) {
      this.#drop(frame, `longer than the MTU of ${via.name} on the way to ${formatIpAddress(destination)}`);
      return;
    }
    if (!this.#isUp[out]) {
      this.#options.pool.give(frame);
      return;
    }
    view.setUint8(start + timeToLiveOffset, timeToLive - 1);
    // RFC 1141: the sum grows by what the upper byte of the word lost.
    const sum = view.getUint16(start + headerChecksumOffset) + 0x0100;
    view.setUint16(start + headerChecksumOffset, sum + (sum >> 16));
    writeEthernetHeader(view, start, nextHop.mac, via.mac, etherType.ipv4);
    this.#wires[out]!.push(frame);
  }

  #look(destination: Ipv4Address): NextHop[] {
    const route = this.#routes.find(({ prefix, prefixLength }) => inPrefix(destination, prefix, prefixLength));
    return (route?.hops ?? []).flatMap(({ via, interface: out }) => {
      const mac = this.#options.neighbours.get(via ?? destination);
      return mac === undefined ? [] : [{ interface: out, mac }];
    });
  }

  /** Of a fragment only the first has ports: none of a fragmented packet count, as with kernels. */
  #choose({ view, start, bytes }: Frame, count: number): number {
    const protocol = view.getUint8(start + protocolOffset);
    const fragmented = (view.getUint16(start + fragmentOffset) & 0x3fff) !== 0;
    const portsAt = ethernetHeaderLength + 4 * (view.getUint8(start + ethernetHeaderLength) & 15);
    const hasPorts = (protocol === 6 || protocol === 17) && !fragmented && bytes >= portsAt + 4;
    const hash = flowHash(
      this.#options.flowHashSeed,
      view.getUint32(start + sourceOffset),
      view.getUint32(start + destinationOffset),
      protocol,
      hasPorts ? view.getUint16(start + portsAt) : 0,
      hasPorts ? view.getUint16(start + portsAt + 2) : 0,
    );
    return pickNextHop(hash, count);
  }

  #answerArp(interfaceIndex: number, frame: Frame): void {
    const { view, start } = frame;
    const own = this.#options.interfaces[interfaceIndex]!;
    const request = parseArp(view, start + ethernetHeaderLength, frame.bytes - ethernetHeaderLength);
    if (request === undefined || request.operation !== arpOperation.request || request.targetAddress !== own.address) {
      this.#options.pool.give(frame);
      return;
    }
    frame.bytes = ethernetHeaderLength + arpLength;
    writeEthernetHeader(view, start, request.senderMac, own.mac, etherType.arp);
    writeArp(view, start + ethernetHeaderLength, {
      operation: arpOperation.reply,
      senderMac: own.mac,
      senderAddress: own.address,
      targetMac: request.senderMac,
      targetAddress: request.senderAddress,
    });
    this.#wires[interfaceIndex]!.push(frame);
  }

  #drop(frame: Frame, reason: string): void {
    this.#options.pool.give(frame);
    if (this.#toldDrops.has(reason)) return;
    this.#toldDrops.add(reason);
    this.#options.onDrop(reason);
  }
}

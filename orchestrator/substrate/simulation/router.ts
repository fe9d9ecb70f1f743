/**
 * A router: forwards IPv4 by the longest prefix and answers ARP for its own addresses. Its neighbours' hardware addresses are those of the plan; it asks
 * nobody. It forwards at once and has no queue: those are the links'.
 */
import { arpLength, arpOperation, parseArp, writeArp } from "../../../stack/wire/arp.ts";
import { etherType, ethernetHeaderLength, writeEthernetHeader, type MacAddress } from "../../../stack/wire/ethernet.ts";
import { formatIpAddress, inPrefix, type IpAddress } from "../../../stack/wire/ip-address.ts";
import { ipv4HeaderLength } from "../../../stack/wire/ipv4.ts";
import type { Frame, FramePool } from "./frame-pool.ts";
import type { Wire } from "./wire.ts";

export interface RouterInterface {
  readonly name: string;
  readonly mac: MacAddress;
  readonly address: IpAddress;
  readonly prefixLength: number;
  readonly mtu: number;
}

export interface Route {
  readonly prefix: IpAddress;
  readonly prefixLength: number;
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
const destinationOffset = ethernetHeaderLength + 16;

export class Router {
  readonly #options: RouterOptions;
  readonly #routes: readonly Route[];
  readonly #wires: Wire[] = [];
  readonly #isUp: boolean[];
  /** By destination, filled on demand; null: none. */
  readonly #nextHops = new Map<number, NextHop | null>();
  readonly #toldDrops = new Set<string>();

  constructor(options: RouterOptions) {
    this.#options = options;
    const connected = options.interfaces.map(({ address, prefixLength }, index) => ({
      prefix: address,
      prefixLength,
      interface: index,
    }));
    // The sort is stable: of equal prefixes the interface's own comes first.
    this.#routes = [...connected, ...options.routes].sort((a, b) => b.prefixLength - a.prefixLength);
    this.#isUp = options.interfaces.map(() => true);
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
    const destination = view.getUint32(start + destinationOffset) as IpAddress;
    let nextHop = this.#nextHops.get(destination);
    if (nextHop === undefined) this.#nextHops.set(destination, (nextHop = this.#look(destination)));
    if (nextHop === null) {
      this.#drop(frame, `no route to ${formatIpAddress(destination)}`);
      return;
    }
    const timeToLive = view.getUint8(start + timeToLiveOffset);
    if (timeToLive <= 1) {
      this.#drop(frame, `time to live exceeded on the way to ${formatIpAddress(destination)}`);
      return;
    }
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

  #look(destination: IpAddress): NextHop | null {
    const route = this.#routes.find(({ prefix, prefixLength }) => inPrefix(destination, prefix, prefixLength));
    const mac = route && this.#options.neighbours.get(route.via ?? destination);
    return route === undefined || mac === undefined ? null : { interface: route.interface, mac };
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

/** One interface of a host: its addresses, its next hops, and what it says and hears on its link by ARP (RFC 826) and neighbour discovery (RFC 4861). */

import type { OutgoingFrame } from "./frame.ts";
import { emptyFrame, keepFrame } from "./frame-writer.ts";
import { NeighbourCache } from "./neighbour-cache.ts";
import { arpLength, arpOperation, type ArpPacket, parseArp, writeArp } from "./wire/arp.ts";
import {
  broadcastMac,
  etherType,
  ethernetHeaderLength,
  type MacAddress,
  multicastMac,
  readMac,
  writeEthernetHeader,
} from "./wire/ethernet.ts";
import { inPrefix, type IpAddress, type Ipv4Address, isIpv6, unspecifiedAddress } from "./wire/ip-address.ts";
import { ipProtocol } from "./wire/ipv4.ts";
import { type Ipv6Header, ipv6HeaderLength, writeIpv6Header } from "./wire/ipv6.ts";
import {
  allNodes,
  type Ipv6Address,
  isLinkLocal,
  isMulticast,
  isSolicitedNodeOf,
  linkLocalFor,
  solicitedNode,
  unspecifiedIpv6,
} from "./wire/ipv6-address.ts";
import {
  neighbourAdvertisement,
  neighbourHopLimit,
  neighbourSolicitation,
  parseNeighbourMessage,
} from "./wire/neighbour-discovery.ts";

const zeroMac: MacAddress = { high: 0, low: 0 };

export interface InterfaceAddress {
  readonly address: IpAddress;
  readonly prefixLength: number;
}

export interface NetworkInterfaceOptions {
  index: number;
  name: string;
  mac: MacAddress;
  mtu: number;
  gso: boolean;
  checksumOffload: boolean;
  addresses: readonly InterfaceAddress[];
  gateway: Ipv4Address | undefined;
  ipv6Gateway: Ipv6Address | undefined;
  transparent: boolean;
}

export class NetworkInterface {
  readonly index: number;
  readonly name: string;
  readonly gso: boolean;
  readonly checksumOffload: boolean;
  readonly gateway: Ipv4Address | undefined;
  readonly ipv6Gateway: Ipv6Address | undefined;
  /** As `InterfaceOptions.transparent`. */
  readonly transparent: boolean;
  #mac: MacAddress;
  #mtu: number;
  #addresses: readonly InterfaceAddress[];
  #linkLocal: Ipv6Address;
  up = true;
  /** Frames of the interface itself that wait for `pollTransmit`: ARP, neighbour discovery, and what these have released. */
  outgoing: OutgoingFrame[] = [];
  readonly #neighbours: NeighbourCache;

  constructor(options: NetworkInterfaceOptions) {
    this.index = options.index;
    this.name = options.name;
    this.#mac = options.mac;
    this.#mtu = options.mtu;
    this.gso = options.gso;
    this.checksumOffload = options.checksumOffload;
    this.#addresses = options.addresses;
    this.#linkLocal = linkLocalFor(options.mac);
    this.gateway = options.gateway;
    this.ipv6Gateway = options.ipv6Gateway;
    this.transparent = options.transparent;
    this.#neighbours = new NeighbourCache({
      solicit: (address, mac) => (isIpv6(address) ? this.#solicit(address, mac) : this.#requestArp(address)),
      release: (frame) => void this.outgoing.push(frame),
    });
  }

  get mac(): MacAddress {
    return this.#mac;
  }

  get mtu(): number {
    return this.#mtu;
  }

  /** Another device has taken the place of that which it had. */
  setDevice(mac: MacAddress, mtu: number): void {
    this.#mac = mac;
    this.#mtu = mtu;
    this.#linkLocal = linkLocalFor(mac);
  }

  get addresses(): readonly InterfaceAddress[] {
    return this.#addresses;
  }

  /** Of an interface that speaks IPv6: what it calls itself on its link (RFC 4291 §2.8). */
  get linkLocal(): Ipv6Address | undefined {
    return this.#addresses.some(({ address }) => isIpv6(address)) ? this.#linkLocal : undefined;
  }

  addAddress(own: InterfaceAddress): void {
    this.#addresses = [...this.#addresses, own];
  }

  removeAddress(address: IpAddress): void {
    this.#addresses = this.#addresses.filter((own) => own.address !== address);
  }

  owns(address: IpAddress): boolean {
    return address === this.linkLocal || this.addresses.some((own) => own.address === address);
  }

  /** Whether the host hears what is sent to `destination` here: its own addresses and the groups of IPv6 that every node is in. */
  hears(destination: Ipv6Address): boolean {
    if (!isMulticast(destination)) return this.owns(destination);
    if (this.linkLocal === undefined) return false;
    if (destination === allNodes || isSolicitedNodeOf(destination, this.linkLocal)) return true;
    return this.addresses.some(({ address }) => isIpv6(address) && isSolicitedNodeOf(destination, address));
  }

  /** Where a packet for `destination` goes first, or undefined: no route. */
  nextHop(destination: IpAddress): IpAddress | undefined {
    if (this.transparent) return destination;
    for (const own of this.addresses) if (inPrefix(destination, own.address, own.prefixLength)) return destination;
    if (!isIpv6(destination)) return this.gateway;
    if (isLinkLocal(destination)) return this.linkLocal === undefined ? undefined : destination;
    return this.ipv6Gateway;
  }

  /** The address of our own with which to speak to `destination`, if there is one of its family and scope (RFC 6724 §5: rules 2 and 8). */
  sourceFor(destination: IpAddress): IpAddress | undefined {
    if (isIpv6(destination) && isLinkLocal(destination)) return this.linkLocal;
    const candidates = this.addresses.filter(({ address }) => isIpv6(address) === isIpv6(destination));
    const onLink = candidates.find(({ address, prefixLength }) => inPrefix(destination, address, prefixLength));
    return (onLink ?? candidates[0])?.address;
  }

  /** The hardware address of a neighbour, if it is known; asks for it when it is not, or has not been confirmed for long. */
  resolve(address: IpAddress, now: number): MacAddress | undefined {
    return this.transparent ? zeroMac : this.#neighbours.resolve(address, now);
  }

  /** Keeps a frame until its neighbour has answered. */
  holdFrame(address: IpAddress, frame: OutgoingFrame): void {
    this.#neighbours.hold(address, frame);
  }

  /** Sends a copy of `frame` with the next `pollTransmit`. */
  sendLater(frame: OutgoingFrame): void {
    this.outgoing.push(keepFrame(frame));
  }

  handleArp(view: DataView, offset: number, length: number, now: number): void {
    const packet = parseArp(view, offset, length);
    if (packet === undefined) return;
    const isForUs = this.owns(packet.targetAddress);
    // RFC 826: update what is known; learn anew only from what is addressed to us.
    if (packet.senderAddress !== unspecifiedAddress && (isForUs || this.#neighbours.has(packet.senderAddress))) {
      this.#neighbours.learn(packet.senderAddress, packet.senderMac, now);
    }
    if (isForUs && packet.operation === arpOperation.request) {
      this.#sendArp(packet.senderMac, {
        operation: arpOperation.reply,
        senderMac: this.mac,
        senderAddress: packet.targetAddress,
        targetMac: packet.senderMac,
        targetAddress: packet.senderAddress,
      });
    }
  }

  /** A message of neighbour discovery of `length` bytes at `offset`, in the packet with header `ip`, in the frame that begins at `frameStart`. */
  handleNeighbourMessage(
    ip: Ipv6Header,
    view: DataView,
    frameStart: number,
    offset: number,
    length: number,
    now: number,
  ): void {
    if (ip.hopLimit !== neighbourHopLimit) return;
    const message = parseNeighbourMessage(view, offset, length);
    if (message === undefined) return;
    if (message.isSolicitation) {
      if (this.owns(message.target))
        this.#answer(message.target, ip.source, message.mac, readMac(view, frameStart + 6), now);
    } else if (message.mac !== undefined && !this.owns(message.target) && this.#neighbours.has(message.target)) {
      // RFC 4861 §7.2.5: an advertisement makes no new entry.
      this.#neighbours.learn(message.target, message.mac, now);
    }
  }

  /** Frames that wait for `pollTransmit` or for a neighbour. */
  get waitingFrames(): number {
    return this.outgoing.length + this.#neighbours.waitingFrames;
  }

  get nextTimeout(): number {
    return this.#neighbours.nextTimeout;
  }

  /** The neighbours that have been asked for in vain. */
  handleTimeout(now: number): readonly IpAddress[] {
    return this.#neighbours.handleTimeout(now);
  }

  setUp(up: boolean): void {
    this.up = up;
    this.outgoing = [];
    this.#neighbours.clear();
  }

  /** RFC 4861 §7.2.3, §7.2.4. `said`: the hardware address in the option; `from`: that of the frame. */
  #answer(target: Ipv6Address, asker: Ipv6Address, said: MacAddress | undefined, from: MacAddress, now: number): void {
    if (asker === unspecifiedIpv6) {
      // Somebody wants the address for itself (RFC 4862 §5.4.3): all shall hear that it is taken.
      const answer = neighbourAdvertisement(target, allNodes, this.mac, false);
      this.#sendNeighbourMessage(multicastMac(allNodes.word3), target, allNodes, answer);
      return;
    }
    if (said !== undefined) this.#neighbours.learn(asker, said, now);
    this.#sendNeighbourMessage(said ?? from, target, asker, neighbourAdvertisement(target, asker, this.mac, true));
  }

  #solicit(address: Ipv6Address, mac: MacAddress | undefined): void {
    const source = this.sourceFor(address) ?? this.linkLocal;
    if (source === undefined || !isIpv6(source)) return;
    const destination = mac === undefined ? solicitedNode(address) : address;
    const message = neighbourSolicitation(address, source, destination, this.mac);
    this.#sendNeighbourMessage(mac ?? multicastMac(destination.word3), source, destination, message);
  }

  #sendNeighbourMessage(mac: MacAddress, source: Ipv6Address, destination: Ipv6Address, message: Uint8Array): void {
    const start = ethernetHeaderLength + ipv6HeaderLength;
    const frame = emptyFrame(start + message.length);
    const view = new DataView(frame.header.buffer);
    const { length } = message;
    writeEthernetHeader(view, 0, mac, this.mac, etherType.ipv6);
    writeIpv6Header(
      view,
      ethernetHeaderLength,
      length,
      ipProtocol.icmpv6,
      source,
      destination,
      0,
      0,
      neighbourHopLimit,
    );
    frame.header.set(message, start);
    this.#send(frame);
  }

  #requestArp(address: Ipv4Address): void {
    const source = this.sourceFor(address);
    if (source === undefined || isIpv6(source)) return;
    this.#sendArp(broadcastMac, {
      operation: arpOperation.request,
      senderMac: this.mac,
      senderAddress: source,
      targetMac: zeroMac,
      targetAddress: address,
    });
  }

  #sendArp(destination: MacAddress, packet: ArpPacket): void {
    const frame = emptyFrame(ethernetHeaderLength + arpLength);
    const view = new DataView(frame.header.buffer);
    writeEthernetHeader(view, 0, destination, this.mac, etherType.arp);
    writeArp(view, ethernetHeaderLength, packet);
    this.#send(frame);
  }

  #send(frame: OutgoingFrame): void {
    frame.interfaceIndex = this.index;
    frame.headerLength = frame.header.length;
    this.outgoing.push(frame);
  }
}

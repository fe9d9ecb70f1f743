/** One interface of a host: its addresses, its next hops and its neighbours (RFC 826). */

import type { OutgoingFrame } from "./frame.ts";
import { emptyFrame, keepFrame, setDestination } from "./frame-writer.ts";
import { arpLength, arpOperation, type ArpPacket, parseArp, writeArp } from "./wire/arp.ts";
import {
  broadcastMac,
  etherType,
  ethernetHeaderLength,
  type MacAddress,
  writeEthernetHeader,
} from "./wire/ethernet.ts";
import { inPrefix, type IpAddress, unspecifiedAddress } from "./wire/ip-address.ts";

const requestInterval = 500_000;
const requestAttempts = 6;
const refreshInterval = 60_000_000;
const waitingFrames = 64;
const neighbourLimit = 4096;
const zeroMac: MacAddress = { high: 0, low: 0 };

export interface InterfaceAddress {
  readonly address: IpAddress;
  readonly prefixLength: number;
}

interface Neighbour {
  mac: MacAddress | undefined;
  confirmedAt: number;
  requestedAt: number;
  attempts: number;
  waiting: OutgoingFrame[];
}

export interface NetworkInterfaceOptions {
  index: number;
  name: string;
  mac: MacAddress;
  mtu: number;
  gso: boolean;
  checksumOffload: boolean;
  addresses: readonly InterfaceAddress[];
  gateway: IpAddress | undefined;
}

export class NetworkInterface {
  readonly index: number;
  readonly name: string;
  readonly mac: MacAddress;
  readonly mtu: number;
  readonly gso: boolean;
  readonly checksumOffload: boolean;
  readonly addresses: readonly InterfaceAddress[];
  readonly gateway: IpAddress | undefined;
  up = true;
  /** Frames of the interface itself that wait for `pollTransmit`: ARP, and what ARP has released. */
  outgoing: OutgoingFrame[] = [];
  readonly #neighbours = new Map<IpAddress, Neighbour>();

  constructor(options: NetworkInterfaceOptions) {
    this.index = options.index;
    this.name = options.name;
    this.mac = options.mac;
    this.mtu = options.mtu;
    this.gso = options.gso;
    this.checksumOffload = options.checksumOffload;
    this.addresses = options.addresses;
    this.gateway = options.gateway;
  }

  owns(address: IpAddress): boolean {
    return this.addresses.some((own) => own.address === address);
  }

  /** Where a packet for `destination` goes first, or undefined: no route. */
  nextHop(destination: IpAddress): IpAddress | undefined {
    for (const own of this.addresses) if (inPrefix(destination, own.address, own.prefixLength)) return destination;
    return this.gateway;
  }

  /** The hardware address of a neighbour, if it is known; asks for it when it is not, or has not been confirmed for long. */
  resolve(address: IpAddress, now: number): MacAddress | undefined {
    const neighbour = this.#neighbourOf(address);
    const isOld = now - neighbour.confirmedAt > refreshInterval;
    if ((neighbour.mac === undefined || isOld) && now - neighbour.requestedAt >= requestInterval)
      this.#request(address, neighbour, now);
    return neighbour.mac;
  }

  /** Keeps a frame until its neighbour has answered. */
  holdFrame(address: IpAddress, frame: OutgoingFrame): void {
    const { waiting } = this.#neighbourOf(address);
    if (waiting.length < waitingFrames) waiting.push(keepFrame(frame));
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
      this.#learn(packet.senderAddress, packet.senderMac, now);
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

  get nextTimeout(): number {
    let next = Number.POSITIVE_INFINITY;
    for (const neighbour of this.#neighbours.values()) {
      if (neighbour.waiting.length > 0) next = Math.min(next, neighbour.requestedAt + requestInterval);
    }
    return next;
  }

  handleTimeout(now: number): void {
    for (const [address, neighbour] of this.#neighbours) {
      if (neighbour.waiting.length === 0 || now - neighbour.requestedAt < requestInterval) continue;
      if (neighbour.attempts >= requestAttempts) {
        neighbour.waiting = [];
        neighbour.attempts = 0;
      } else this.#request(address, neighbour, now);
    }
  }

  setUp(up: boolean): void {
    this.up = up;
    this.outgoing = [];
    this.#neighbours.clear();
  }

  #neighbourOf(address: IpAddress): Neighbour {
    let neighbour = this.#neighbours.get(address);
    if (neighbour === undefined) {
      if (this.#neighbours.size >= neighbourLimit) this.#neighbours.delete(this.#neighbours.keys().next().value!);
      neighbour = { mac: undefined, confirmedAt: 0, requestedAt: Number.NEGATIVE_INFINITY, attempts: 0, waiting: [] };
      this.#neighbours.set(address, neighbour);
    }
    return neighbour;
  }

  #learn(address: IpAddress, mac: MacAddress, now: number): void {
    const neighbour = this.#neighbourOf(address);
    neighbour.mac = mac;
    neighbour.confirmedAt = now;
    neighbour.attempts = 0;
    for (const frame of neighbour.waiting) {
      setDestination(frame, mac);
      this.outgoing.push(frame);
    }
    neighbour.waiting = [];
  }

  #request(address: IpAddress, neighbour: Neighbour, now: number): void {
    neighbour.requestedAt = now;
    neighbour.attempts++;
    const own =
      this.addresses.find((candidate) => inPrefix(address, candidate.address, candidate.prefixLength)) ??
      this.addresses[0]!;
    this.#sendArp(broadcastMac, {
      operation: arpOperation.request,
      senderMac: this.mac,
      senderAddress: own.address,
      targetMac: zeroMac,
      targetAddress: address,
    });
  }

  #sendArp(destination: MacAddress, packet: ArpPacket): void {
    const frame = emptyFrame(ethernetHeaderLength + arpLength);
    const view = new DataView(frame.header.buffer);
    writeEthernetHeader(view, 0, destination, this.mac, etherType.arp);
    writeArp(view, ethernetHeaderLength, packet);
    frame.interfaceIndex = this.index;
    frame.headerLength = frame.header.length;
    this.outgoing.push(frame);
  }
}

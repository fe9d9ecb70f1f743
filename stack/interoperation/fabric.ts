/** The wire between the two peers of a lab: an Ethernet switch in this process, where rules look at frames, change and drop them. */

import {
  PacketMemory,
  PacketSocket,
  superPacketSlotBytes,
  VIRTIO_NET_HDR_F_NEEDS_CSUM,
  virtioNetHeaderBytes,
} from "../io/packet-socket.ts";
import { etherType, ethernetHeaderLength } from "../wire/ethernet.ts";
import { ipProtocol, ipv4HeaderLength } from "../wire/ipv4.ts";
import { ipv6HeaderLength } from "../wire/ipv6.ts";
import { parseTcp } from "../wire/tcp-parse.ts";
import { tcpFlag, TcpSegment } from "../wire/tcp-segment.ts";

export type Role = "client" | "server";

export type Family = "ipv4" | "ipv6";

/** One plug of the switch: interface `index` (from 1) of a side, with the hardware address `02:77:00:00:<index>:<side>`. */
export interface Port {
  readonly role: Role;
  readonly index: number;
  /** Of its one address; default IPv4. */
  readonly family?: Family;
}

const batchFrames = 16;
const sideNumber: Readonly<Record<Role, number>> = { client: 1, server: 2 };

/** Name of the interface, the same at both ends of its veth. */
export function interfaceName({ role, index }: Port): string {
  return `${role}${index}`;
}

export function macAddress({ role, index }: Port): string {
  return `02:77:00:00:0${index}:0${sideNumber[role]}`;
}

/** All hosts are on one link, in one network of each family: any address reaches any other of its family. */
export const network: Readonly<Record<Family, { readonly prefix: string; readonly prefixLength: number }>> = {
  ipv4: { prefix: "10.77.0.0", prefixLength: 16 },
  ipv6: { prefix: "fd77::", prefixLength: 64 },
};

export function ipAddress({ role, index, family = "ipv4" }: Port): string {
  return family === "ipv4" ? `10.77.${index}.${sideNumber[role]}` : `fd77::${index}:${sideNumber[role]}`;
}

/** A TCP segment on its way; valid only during the rule's call. */
export interface Passing {
  readonly from: Port;
  readonly to: Port;
  readonly segment: TcpSegment;
  readonly family: Family;
  /** Where the TCP header begins in the frame. */
  readonly tcpStart: number;
  /** The whole frame, in place: changes are what is forwarded. */
  readonly frame: Uint8Array;
  /** A checksum that the sender left to the device is filled in after the change; otherwise a changed byte makes it wrong. */
  readonly checksumIsPartial: boolean;
}

/** False: the frame is lost. */
export type Rule = (passing: Passing) => boolean;

interface Plug extends Port {
  readonly socket: PacketSocket;
}

export class Fabric {
  readonly #plugs: Plug[] = [];
  readonly #rules = new Set<Rule>();
  readonly #cut = new Set<string>();
  readonly #segment = new TcpSegment();
  readonly #syns = new Set<string>();
  /** SYNs that a client has sent again: nothing has answered it within a second, as where the machine is busy, or a rule is in the way. */
  repeatedSyns = 0;

  /** The far ends of all the interfaces are in the namespace of this file. */
  constructor(namespacePath: string, ports: readonly Port[]) {
    // One memory for all: what one socket has received, another sends without a copy.
    const memory = new PacketMemory(ports.length * batchFrames, superPacketSlotBytes);
    ports.forEach((port, number) => {
      const socket = new PacketSocket({
        namespacePath,
        interfaceName: interfaceName(port),
        memory,
        receiveSlots: Array.from({ length: batchFrames }, (_, slot) => number * batchFrames + slot),
        onBatch: (count) => {
          for (let i = 0; i < count; i++) this.#forward(plug, i);
        },
        onError: () => undefined, // ENETDOWN: the test has pulled this cable.
      });
      const plug: Plug = { ...port, socket };
      this.#plugs.push(plug);
    });
    this.rule(({ from, segment }) => this.#noteSyn(from, segment));
  }

  #noteSyn({ role, index }: Port, segment: TcpSegment): true {
    if ((segment.flags & (tcpFlag.syn | tcpFlag.ack)) !== tcpFlag.syn) return true;
    const syn = `${role} ${index} ${segment.sourcePort} ${segment.destinationPort}`;
    if (this.#syns.has(syn)) this.repeatedSyns++;
    this.#syns.add(syn);
    return true;
  }

  /** Applies a rule to every TCP segment from now on; returns how to end that. */
  rule(rule: Rule): () => void {
    this.#rules.add(rule);
    return () => void this.#rules.delete(rule);
  }

  /** Counts the segments from now on for which `matches` holds. */
  count(matches: (passing: Passing) => boolean): { readonly segments: number; readonly payloadBytes: number } {
    const tally = { segments: 0, payloadBytes: 0 };
    this.rule((passing) => {
      if (matches(passing)) {
        tally.segments++;
        tally.payloadBytes += passing.segment.payloadLength;
      }
      return true;
    });
    return tally;
  }

  /** Everything that comes from the port is lost, silently, ARP and neighbour discovery included; `both`: also what goes to it. */
  cut(port: Port, direction: "from" | "both" = "both"): void {
    this.#cut.add(`from ${interfaceName(port)}`);
    if (direction === "both") this.#cut.add(`to ${interfaceName(port)}`);
  }

  mend(port: Port): void {
    this.#cut.delete(`from ${interfaceName(port)}`);
    this.#cut.delete(`to ${interfaceName(port)}`);
  }

  close(): void {
    for (const { socket } of this.#plugs) socket.close();
  }

  #forward(from: Plug, i: number): void {
    const { socket } = from;
    const { memory } = socket;
    const length = socket.length(i);
    if (length < ethernetHeaderLength || length < socket.originalLength(i)) return;
    const start = memory.frameStart(socket.slot(i));
    const frame = memory.bytes.subarray(start, start + length);
    const type = memory.view.getUint16(start + 12);
    if (type !== etherType.arp && type !== etherType.ipv4 && type !== etherType.ipv6) return;
    if (this.#cut.has(`from ${interfaceName(from)}`)) return;
    for (const to of this.#plugs) {
      if (to === from || !isFor(frame, to) || this.#cut.has(`to ${interfaceName(to)}`)) continue;
      if (this.#passes(from, to, frame, memory.view.getUint8(start - virtioNetHeaderBytes))) {
        to.socket.send(Int32Array.of(start - virtioNetHeaderBytes, virtioNetHeaderBytes + length, 0, 0), 1);
      }
    }
  }

  #passes(from: Port, to: Port, frame: Uint8Array, flags: number): boolean {
    const view = new DataView(frame.buffer, frame.byteOffset, frame.byteLength);
    const place = placeOfTcp(view);
    if (place === undefined) return true;
    const { family, tcpStart, length } = place;
    const segment = this.#segment;
    if (!parseTcp(segment, frame, view, tcpStart, length)) return true;
    const checksumIsPartial = (flags & VIRTIO_NET_HDR_F_NEEDS_CSUM) !== 0;
    const passing = { from, to, segment, family, tcpStart, frame, checksumIsPartial };
    let passes = true;
    for (const rule of this.#rules) passes = rule(passing) && passes;
    return passes;
  }
}

/** Where TCP is in a frame, and its length; undefined: the frame has none. Neither side sends IPv4 options or IPv6 extension headers. */
function placeOfTcp(view: DataView): { family: Family; tcpStart: number; length: number } | undefined {
  const ipStart = ethernetHeaderLength;
  switch (view.getUint16(12)) {
    case etherType.ipv4:
      if (view.getUint8(ipStart + 9) !== ipProtocol.tcp) return undefined;
      return {
        family: "ipv4",
        tcpStart: ipStart + ipv4HeaderLength,
        length: view.getUint16(ipStart + 2) - ipv4HeaderLength,
      };
    case etherType.ipv6:
      if (view.getUint8(ipStart + 6) !== ipProtocol.tcp) return undefined;
      return { family: "ipv6", tcpStart: ipStart + ipv6HeaderLength, length: view.getUint16(ipStart + 4) };
    default:
      return undefined;
  }
}

function isFor(frame: Uint8Array, { role, index }: Port): boolean {
  return (frame[0]! & 1) === 1 || (frame[4] === index && frame[5] === sideNumber[role]);
}

/** The wire between the two peers of a lab: an Ethernet switch in this process, where rules look at frames, change and drop them. */

import {
  PacketMemory,
  PacketSocket,
  superPacketSlotBytes,
  VIRTIO_NET_HDR_F_NEEDS_CSUM,
  virtioNetHeaderBytes,
} from "../io/packet-socket.ts";
import { etherType, ethernetHeaderLength } from "../wire/ethernet.ts";
import { ipv4HeaderLength } from "../wire/ipv4.ts";
import { parseTcp } from "../wire/tcp-parse.ts";
import { TcpSegment } from "../wire/tcp-segment.ts";

export type Role = "client" | "server";

/** One plug of the switch: interface `index` (from 1) of a side, with the hardware address `02:77:00:00:<index>:<side>`. */
export interface Port {
  readonly role: Role;
  readonly index: number;
}

const batchFrames = 16;
const tcpStart = ethernetHeaderLength + ipv4HeaderLength;
const sideNumber: Readonly<Record<Role, number>> = { client: 1, server: 2 };

/** Name of the interface, the same at both ends of its veth. */
export function interfaceName({ role, index }: Port): string {
  return `${role}${index}`;
}

export function macAddress({ role, index }: Port): string {
  return `02:77:00:00:0${index}:0${sideNumber[role]}`;
}

/** All hosts are in 10.77.0.0/16, on one link: any address reaches any other. */
export function ipAddress({ role, index }: Port): string {
  return `10.77.${index}.${sideNumber[role]}`;
}

/** A TCP segment on its way; valid only during the rule's call. */
export interface Passing {
  readonly from: Port;
  readonly to: Port;
  readonly segment: TcpSegment;
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

  /** Everything that comes from the port is lost, silently, ARP included; `both`: also what goes to it. */
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
    if (type !== etherType.arp && type !== etherType.ipv4) return;
    if (this.#cut.has(`from ${interfaceName(from)}`)) return;
    for (const to of this.#plugs) {
      if (to === from || !isFor(frame, to) || this.#cut.has(`to ${interfaceName(to)}`)) continue;
      if (this.#passes(from, to, frame, memory.view.getUint8(start - virtioNetHeaderBytes))) {
        to.socket.send(Int32Array.of(start - virtioNetHeaderBytes, virtioNetHeaderBytes + length, 0, 0), 1, []);
      }
    }
  }

  #passes(from: Port, to: Port, frame: Uint8Array, flags: number): boolean {
    if (this.#rules.size === 0 || frame[12] !== 8 || frame[13] !== 0 || frame[23] !== 6) return true;
    const segment = this.#segment;
    const view = new DataView(frame.buffer, frame.byteOffset, frame.byteLength);
    const total = view.getUint16(16);
    if (!parseTcp(segment, frame, view, tcpStart, total - ipv4HeaderLength)) return true;
    const passing = { from, to, segment, frame, checksumIsPartial: (flags & VIRTIO_NET_HDR_F_NEEDS_CSUM) !== 0 };
    let passes = true;
    for (const rule of this.#rules) passes = rule(passing) && passes;
    return passes;
  }
}

function isFor(frame: Uint8Array, { role, index }: Port): boolean {
  return (frame[0]! & 1) === 1 || (frame[4] === index && frame[5] === sideNumber[role]);
}

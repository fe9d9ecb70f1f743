/** The pure host under test on a virtual clock; the script is everything beyond its interfaces. */

import { checksumState, type OutgoingFrame } from "../../frame.ts";
import { Host } from "../../host.ts";
import type { InterfaceOptions } from "../../host-options.ts";
import { seededRandom } from "../random.ts";
import type { ScriptConfiguration } from "./script-configuration.ts";
import { answerNeighbour } from "../neighbour-answers.ts";
import { isIpv6Text } from "./address-text.ts";
import type { CapturedSegment } from "./back-end.ts";
import { decodePacket, encodePacket, type WireSegment } from "./wire-segment.ts";

/** The host's clock when the script begins: nothing in the stack may take zero for "never". */
const startOfClock = 1_000_000;
const ethernetLength = 14;
const ipv4Type = 0x0800;
const ipv6Type = 0x86dd;

export class TestedHost {
  readonly host: Host;
  /** What the host has sent and no statement has looked at, in order. */
  readonly captured: CapturedSegment[] = [];
  /** Called when everything that can happen at an instant has happened. */
  onSettled: (() => void) | undefined;
  readonly #addresses: string[];
  readonly #neighbourAnswers: { interfaceIndex: number; frame: Uint8Array }[] = [];
  #now = startOfClock;

  constructor(configuration: ScriptConfiguration, mptcp: boolean) {
    const endpoints = [{ address: configuration.localAddress, backup: false, port: 0 }, ...configuration.endpoints];
    this.#addresses = endpoints.map(({ address }) => address);
    const interfaces = endpoints.map(({ address, backup, port }, i): InterfaceOptions => ({
      name: `tun${i}`,
      mac: `02:00:00:00:00:0${i + 1}`,
      mtu: configuration.mtu,
      gso: false,
      // Every destination is a neighbour, so that scripts choose their addresses freely.
      addresses: [{ address, prefixLength: 1, port }],
      ...(!isIpv6Text(address) && { gateway: gatewayOf(address) }),
      backup,
    }));
    const { congestionControl, dssChecksum, policy, sendBufferBytes, receiveBufferBytes } = configuration;
    const { synCookies, explicitCongestionNotification, userTimeoutOption } = configuration;
    this.host = new Host({
      name: "host",
      random: seededRandom(8684),
      interfaces,
      mptcp,
      congestionControl,
      scheduler: "min-rtt",
      pathManager: "full-mesh",
      dssChecksum,
      ...policy,
      tcp: { synCookies, explicitCongestionNotification, ...(userTimeoutOption && { userTimeoutOption: {} }) },
      ...(sendBufferBytes !== undefined && { sendBufferBytes }),
      ...(receiveBufferBytes !== undefined && { receiveBufferBytes }),
    });
  }

  /** Microseconds since the script began. */
  get now(): number {
    return this.#now - startOfClock;
  }

  /** The clock that calls of the host want. */
  get hostTime(): number {
    return this.#now;
  }

  /** Lets time pass until `time`; returns early when `until` says so after something has happened. */
  advance(time: number, until: () => boolean = () => false): boolean {
    const end = time + startOfClock;
    this.settle();
    while (!until()) {
      const next = this.host.pollTimeout();
      if (next > end) {
        this.#now = Math.max(this.#now, end);
        return false;
      }
      this.#now = Math.max(this.#now, next);
      this.host.handleTimeout(this.#now);
      this.settle();
    }
    return true;
  }

  /** Does what is to be done at this instant. */
  settle(): void {
    const sink = { transmit: (frame: OutgoingFrame): void => this.#capture(frame) };
    // Notifications may write, answers of neighbours may release frames: three rounds settle both.
    for (let round = 0; round < 3; round++) {
      this.host.pollTransmit(this.#now, sink);
      this.host.deliverNotifications();
      for (const { interfaceIndex, frame } of this.#neighbourAnswers.splice(0))
        this.#handleFrame(interfaceIndex, frame);
    }
    this.onSettled?.();
  }

  inject(segment: WireSegment): void {
    const packet = encodePacket(segment);
    const frame = Buffer.alloc(ethernetLength + packet.length);
    frame.writeUInt16BE(packet[0]! >> 4 === 4 ? ipv4Type : ipv6Type, 12);
    frame.set(packet, ethernetLength);
    this.#handleFrame(Math.max(0, this.#addresses.indexOf(segment.destination.address)), frame);
    this.settle();
  }

  setLinkUp(interfaceName: string, up: boolean): boolean {
    const index = this.#addresses.findIndex((_, i) => `tun${i}` === interfaceName);
    if (index < 0) return false;
    this.host.setInterfaceUp(index, up, this.#now);
    this.settle();
    return true;
  }

  #handleFrame(interfaceIndex: number, frame: Uint8Array): void {
    this.host.handleFrame(interfaceIndex, frame, 0, frame.length, checksumState.unverified, this.#now);
  }

  #capture(outgoing: OutgoingFrame): void {
    const frame = gather(outgoing);
    // The script's side answers for every address.
    const answer = answerNeighbour(frame);
    if (answer === "none") return;
    if (answer !== undefined) {
      this.#neighbourAnswers.push({ interfaceIndex: outgoing.interfaceIndex, frame: answer });
      return;
    }
    const segment = decodePacket(frame.subarray(ethernetLength));
    if (segment !== undefined) this.captured.push({ segment, time: this.now });
  }
}

function gatewayOf(address: string): string {
  return address.replace(/\d+$/, (last) => `${(Number(last) % 254) + 1}`);
}

function gather(frame: OutgoingFrame): Buffer {
  const pieces = [frame.header.subarray(0, frame.headerLength)];
  for (let i = 0; i < frame.payloadCount; i++) {
    const offset = frame.payloadOffsets[i]!;
    pieces.push(frame.payloadBuffers[i]!.subarray(offset, offset + frame.payloadLengths[i]!));
  }
  return Buffer.concat(pieces);
}

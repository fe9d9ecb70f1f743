/** Packets on their way in: from an Ethernet frame to the segment, or the answer, that it carries. */

import { type ChecksumState, checksumState } from "./frame.ts";
import { foreignAddress } from "./local-addresses.ts";
import type { LocalAddress } from "./mptcp/connection-environment.ts";
import type { InterfaceAddress, NetworkInterface } from "./network-interface.ts";
import type { PacketOutput } from "./packet-output.ts";
import { isUnicast } from "./unicast.ts";
import { etherType, ethernetHeaderLength } from "./wire/ethernet.ts";
import { icmpEchoReply, parseIcmpError } from "./wire/icmp.ts";
import type { IcmpError } from "./wire/icmp-error.ts";
import { icmpv6ChecksumIsRight, icmpv6EchoReply, icmpv6Type, parseIcmpv6Error } from "./wire/icmpv6.ts";
import { type IpAddress, isIpv6, isUnspecified, unspecifiedAddress } from "./wire/ip-address.ts";
import { ipProtocol, Ipv4Header } from "./wire/ipv4.ts";
import { Ipv6Header } from "./wire/ipv6.ts";
import { isMulticast, unspecifiedIpv6 } from "./wire/ipv6-address.ts";
import { parseTcp, tcpChecksumIsRight } from "./wire/tcp-parse.ts";
import { TcpSegment } from "./wire/tcp-segment.ts";

/** Where intact segments, and what routers say about ours, go. */
export interface SegmentHandler {
  handleSegment(segment: TcpSegment, local: LocalAddress, now: number): void;
  handleIcmpError(error: IcmpError, now: number): void;
}

export class PacketInput {
  readonly #localAddresses: readonly LocalAddress[];
  readonly #networks: readonly InterfaceAddress[];
  readonly #handler: SegmentHandler;
  readonly #output: PacketOutput;
  /** Of transparent interfaces, one a family. */
  readonly #foreign: LocalAddress[] = [];
  readonly #segment = new TcpSegment();
  readonly #ipv4 = new Ipv4Header();
  readonly #ipv6 = new Ipv6Header();
  #viewed: Uint8Array = new Uint8Array(0);
  #view: DataView = new DataView(new ArrayBuffer(0));

  /** `networks`: those of all interfaces. */
  constructor(
    localAddresses: readonly LocalAddress[],
    networks: readonly InterfaceAddress[],
    handler: SegmentHandler,
    output: PacketOutput,
  ) {
    this.#localAddresses = localAddresses;
    this.#networks = networks;
    this.#handler = handler;
    this.#output = output;
  }

  /** As `Host.handleFrame`. */
  handleFrame(
    via: NetworkInterface,
    buffer: Uint8Array,
    offset: number,
    length: number,
    checksum: ChecksumState,
    now: number,
  ): void {
    if (length < ethernetHeaderLength) return;
    if (buffer !== this.#viewed) {
      this.#viewed = buffer;
      this.#view = new DataView(buffer.buffer, buffer.byteOffset, buffer.byteLength);
    }
    const view = this.#view;
    const start = offset + ethernetHeaderLength;
    const rest = length - ethernetHeaderLength;
    const type = view.getUint16(offset + 12);
    if (type === etherType.arp) via.handleArp(view, start, rest, now);
    else if (type === etherType.ipv4) this.#handleIpv4(via, buffer, start, rest, checksum, now);
    else if (type === etherType.ipv6) this.#handleIpv6(via, buffer, start, rest, checksum, now);
  }

  #handleIpv4(
    via: NetworkInterface,
    buffer: Uint8Array,
    start: number,
    length: number,
    checksum: ChecksumState,
    now: number,
  ): void {
    const ip = this.#ipv4;
    if (!ip.parse(buffer, this.#view, start, length)) return;
    const local = this.#recipient(via, ip.destination);
    if (local === undefined) return;
    const payloadStart = start + ip.headerLength;
    const payloadLength = ip.totalLength - ip.headerLength;
    if (ip.protocol === ipProtocol.tcp) this.#handleTcp(local, ip, buffer, payloadStart, payloadLength, checksum, now);
    else if (ip.protocol === ipProtocol.icmp) {
      // Whether somebody else is there is not ours to say.
      const reply = isUnspecified(local.address) ? undefined : icmpEchoReply(buffer, payloadStart, payloadLength);
      if (reply !== undefined) this.#output.sendIcmp(via, ip.destination, ip.source, reply, now);
      else this.#handleError(parseIcmpError(buffer, payloadStart, payloadLength), now);
    }
  }

  #handleIpv6(
    via: NetworkInterface,
    buffer: Uint8Array,
    start: number,
    length: number,
    checksum: ChecksumState,
    now: number,
  ): void {
    const ip = this.#ipv6;
    if (!ip.parse(this.#view, start, length)) return;
    const payloadStart = start + ip.headerLength;
    const payloadLength = ip.totalLength - ip.headerLength;
    if (ip.protocol === ipProtocol.tcp) {
      const local = this.#recipient(via, ip.destination);
      if (local !== undefined) this.#handleTcp(local, ip, buffer, payloadStart, payloadLength, checksum, now);
    } else if (ip.protocol === ipProtocol.icmpv6 && via.hears(ip.destination)) {
      const isIntact =
        checksum !== checksumState.unverified ||
        icmpv6ChecksumIsRight(buffer, payloadStart, payloadLength, ip.source, ip.destination);
      if (isIntact && payloadLength > 0)
        this.#handleIcmpv6(via, buffer, start - ethernetHeaderLength, payloadStart, payloadLength, now);
    }
  }

  #handleIcmpv6(
    via: NetworkInterface,
    buffer: Uint8Array,
    frameStart: number,
    start: number,
    length: number,
    now: number,
  ): void {
    const ip = this.#ipv6;
    switch (buffer[start]) {
      case icmpv6Type.neighbourSolicitation:
      case icmpv6Type.neighbourAdvertisement:
        via.handleNeighbourMessage(ip, this.#view, frameStart, start, length, now);
        return;
      case icmpv6Type.echoRequest: {
        // Asked of a group, each answers with an address of its own (RFC 4443 §4.2).
        const from = isMulticast(ip.destination) ? via.sourceFor(ip.source) : ip.destination;
        if (from === undefined || !isIpv6(from)) return;
        const reply = icmpv6EchoReply(buffer, start, length, from, ip.source);
        if (reply !== undefined) this.#output.sendIcmp(via, from, ip.source, reply, now);
        return;
      }
      default:
        this.#handleError(parseIcmpv6Error(buffer, start, length), now);
    }
  }

  #handleError(error: IcmpError | undefined, now: number): void {
    if (error !== undefined) this.#handler.handleIcmpError(error, now);
  }

  #handleTcp(
    local: LocalAddress,
    { source, destination, ecn }: Ipv4Header | Ipv6Header,
    buffer: Uint8Array,
    start: number,
    length: number,
    checksum: ChecksumState,
    now: number,
  ): void {
    if (!this.#mayBePeer(source)) return;
    if (checksum === checksumState.unverified && !tcpChecksumIsRight(buffer, start, length, source, destination))
      return;
    const segment = this.#segment;
    if (!parseTcp(segment, buffer, this.#view, start, length)) return;
    segment.source = source;
    segment.destination = destination;
    segment.ecn = ecn;
    this.#handler.handleSegment(segment, local, now);
  }

  /** Nothing comes from a group, from nobody, or from ourselves (RFC 9293 §3.9.2.3, MUST-63; RFC 1122 §3.2.1.3). */
  #mayBePeer(source: IpAddress): boolean {
    return isUnicast(source, this.#networks) && this.#localAddressOf(source) === undefined;
  }

  /** For whom of us a packet is; with the unspecified address: for one that is not ours, of which a transparent interface brings us the packets. */
  #recipient(via: NetworkInterface, destination: IpAddress): LocalAddress | undefined {
    const local = this.#localAddressOf(destination);
    if (local !== undefined || !via.transparent || !isUnicast(destination, this.#networks)) return local;
    return isIpv6(destination) ? this.#anybody(via, unspecifiedIpv6) : this.#anybody(via, unspecifiedAddress);
  }

  #anybody(via: NetworkInterface, unspecified: IpAddress): LocalAddress {
    let anybody = this.#foreign.find(
      ({ address, interfaceIndex }) => address === unspecified && interfaceIndex === via.index,
    );
    if (anybody === undefined) {
      anybody = foreignAddress(via, unspecified);
      this.#foreign.push(anybody);
    }
    return anybody;
  }

  #localAddressOf(address: IpAddress): LocalAddress | undefined {
    for (const local of this.#localAddresses) if (local.address === address) return local;
    return undefined;
  }
}

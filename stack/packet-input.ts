/** Packets on their way in: from an Ethernet frame to the segment, or the answer, that it carries. */

import { type ChecksumState, checksumState } from "./frame.ts";
import type { LocalAddress } from "./mptcp/connection-environment.ts";
import type { NetworkInterface } from "./network-interface.ts";
import type { PacketOutput } from "./packet-output.ts";
import { etherType, ethernetHeaderLength } from "./wire/ethernet.ts";
import { icmpEchoReply, parseTcpUnreachable, type TcpUnreachable } from "./wire/icmp.ts";
import { ipProtocol, Ipv4Header } from "./wire/ipv4.ts";
import { parseTcp, tcpChecksumIsRight } from "./wire/tcp-parse.ts";
import { TcpSegment } from "./wire/tcp-segment.ts";

/** Where intact segments, and what routers say about ours, go. */
export interface SegmentHandler {
  handleSegment(segment: TcpSegment, local: LocalAddress, now: number): void;
  handleUnreachable(error: TcpUnreachable, now: number): void;
}

export class PacketInput {
  readonly #localAddresses: readonly LocalAddress[];
  readonly #handler: SegmentHandler;
  readonly #output: PacketOutput;
  readonly #segment = new TcpSegment();
  readonly #ipv4 = new Ipv4Header();
  #viewed: Uint8Array = new Uint8Array(0);
  #view: DataView = new DataView(new ArrayBuffer(0));

  constructor(localAddresses: readonly LocalAddress[], handler: SegmentHandler, output: PacketOutput) {
    this.#localAddresses = localAddresses;
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
    const local = this.#localAddresses.find(({ address }) => address === ip.destination);
    if (local === undefined) return;
    const payloadStart = start + ip.headerLength;
    const payloadLength = ip.totalLength - ip.headerLength;
    if (ip.protocol === ipProtocol.icmp) this.#handleIcmp(via, buffer, payloadStart, payloadLength, now);
    else if (ip.protocol === ipProtocol.tcp) this.#handleTcp(local, buffer, payloadStart, payloadLength, checksum, now);
  }

  #handleIcmp(via: NetworkInterface, buffer: Uint8Array, start: number, length: number, now: number): void {
    const reply = icmpEchoReply(buffer, start, length);
    if (reply !== undefined) this.#output.sendIcmp(via, this.#ipv4.destination, this.#ipv4.source, reply, now);
    else {
      const error = parseTcpUnreachable(buffer, start, length);
      if (error !== undefined) this.#handler.handleUnreachable(error, now);
    }
  }

  #handleTcp(
    local: LocalAddress,
    buffer: Uint8Array,
    start: number,
    length: number,
    checksum: ChecksumState,
    now: number,
  ): void {
    const { source, destination, ecn } = this.#ipv4;
    if (checksum === checksumState.unverified && !tcpChecksumIsRight(buffer, start, length, source, destination))
      return;
    const segment = this.#segment;
    if (!parseTcp(segment, buffer, this.#view, start, length)) return;
    segment.source = source;
    segment.destination = destination;
    segment.ecn = ecn;
    this.#handler.handleSegment(segment, local, now);
  }
}

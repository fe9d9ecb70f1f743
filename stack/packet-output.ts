/** Packets on their way out: the interface, the next hop, its hardware address. What has no neighbour yet waits for it. */

import type { FrameSink } from "./frame.ts";
import { emptyFrame, FrameWriter } from "./frame-writer.ts";
import type { NetworkInterface } from "./network-interface.ts";
import type { SentRange } from "./tcp/sent-queue.ts";
import type { SegmentOutput, SegmentRoute } from "./tcp/tcp-user.ts";
import { broadcastMac, etherType, ethernetHeaderLength, writeEthernetHeader } from "./wire/ethernet.ts";
import { type IpAddress, type Ipv4Address, isIpv6 } from "./wire/ip-address.ts";
import { ipProtocol, ipv4HeaderLength, writeIpv4Header } from "./wire/ipv4.ts";
import { ipv6HeaderLength, writeIpv6Header } from "./wire/ipv6.ts";
import type { TcpSegment } from "./wire/tcp-segment.ts";

export class PacketOutput implements SegmentOutput {
  readonly #interfaces: readonly NetworkInterface[];
  readonly #writer = new FrameWriter();
  #sink: FrameSink | undefined;
  #now = 0;

  constructor(interfaces: readonly NetworkInterface[]) {
    this.#interfaces = interfaces;
  }

  /** Where frames go until `end`. */
  begin(sink: FrameSink, now: number): void {
    this.#sink = sink;
    this.#now = now;
  }

  /** Hands out what the interfaces themselves have to send. */
  end(): void {
    const sink = this.#sink!;
    for (const networkInterface of this.#interfaces) {
      if (networkInterface.outgoing.length === 0) continue;
      const frames = networkInterface.outgoing;
      networkInterface.outgoing = [];
      for (const frame of frames) sink.transmit(frame);
    }
    this.#sink = undefined;
  }

  /** For the connections' subflows: a segment leaves by the interface of its source address. */
  transmitSegment(segment: TcpSegment, range: SentRange | undefined, gsoSize: number, route: SegmentRoute): void {
    const via = this.#interfaces[route.interfaceIndex]!;
    if (!via.up) return;
    const nextHop = via.nextHop(segment.destination);
    if (nextHop === undefined) return;
    const mac = via.resolve(nextHop, this.#now);
    const frame = this.#writer.write(segment, range, gsoSize, via, mac ?? broadcastMac);
    if (mac === undefined) via.holdFrame(nextHop, frame);
    else this.#sink!.transmit(frame);
  }

  /** A segment of no connection: it goes out with the next `end`. */
  sendSegment(segment: TcpSegment, via: NetworkInterface, now: number): void {
    const nextHop = via.nextHop(segment.destination);
    if (nextHop === undefined) return;
    const mac = via.resolve(nextHop, now);
    const frame = this.#writer.write(segment, undefined, 0, via, mac ?? broadcastMac);
    if (mac === undefined) via.holdFrame(nextHop, frame);
    else via.sendLater(frame);
  }

  /** ICMP, or ICMPv6 when the addresses are of IPv6. */
  sendIcmp(via: NetworkInterface, source: IpAddress, destination: IpAddress, message: Uint8Array, now: number): void {
    const nextHop = via.nextHop(destination);
    if (nextHop === undefined) return;
    const mac = via.resolve(nextHop, now);
    const isSix = isIpv6(source) && isIpv6(destination);
    const { length } = message;
    const start = ethernetHeaderLength + (isSix ? ipv6HeaderLength : ipv4HeaderLength);
    const frame = emptyFrame(start + length);
    const view = new DataView(frame.header.buffer);
    writeEthernetHeader(view, 0, mac ?? broadcastMac, via.mac, isSix ? etherType.ipv6 : etherType.ipv4);
    if (isSix) writeIpv6Header(view, ethernetHeaderLength, length, ipProtocol.icmpv6, source, destination);
    else {
      const [from, to] = [source as Ipv4Address, destination as Ipv4Address];
      writeIpv4Header(view, ethernetHeaderLength, ipv4HeaderLength + length, 0, ipProtocol.icmp, from, to);
    }
    frame.header.set(message, start);
    frame.headerLength = frame.header.length;
    frame.interfaceIndex = via.index;
    if (mac === undefined) via.holdFrame(nextHop, frame);
    else via.sendLater(frame);
  }
}

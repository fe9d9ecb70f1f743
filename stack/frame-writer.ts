/** Segments to frames: headers in one reused buffer, payload as views of the application's memory. */

import type { OutgoingFrame } from "./frame.ts";
import type { NetworkInterface } from "./network-interface.ts";
import type { SentRange } from "./tcp/sent-queue.ts";
import { checksumAdd, checksumAddOdd, checksumFinish, checksumFold, pseudoHeaderSum } from "./wire/checksum.ts";
import { etherType, ethernetHeaderLength, type MacAddress, writeEthernetHeader, writeMac } from "./wire/ethernet.ts";
import { type Ipv4Address, type Ipv6Address, isIpv6 } from "./wire/ip-address.ts";
import { ipProtocol, ipv4HeaderLength, writeIpv4Header } from "./wire/ipv4.ts";
import { flowLabel, ipv6HeaderLength, writeIpv6Header } from "./wire/ipv6.ts";
import { writeTcp } from "./wire/tcp-emit.ts";
import type { TcpSegment } from "./wire/tcp-segment.ts";

const ipStart = ethernetHeaderLength;
const tcpChecksumOffset = 16;
const maximumHeaderLength = ipStart + ipv6HeaderLength + 60;

export function emptyFrame(headerCapacity: number): OutgoingFrame {
  return {
    interfaceIndex: 0,
    header: new Uint8Array(headerCapacity),
    headerLength: 0,
    payloadBuffers: [],
    payloadOffsets: [],
    payloadLengths: [],
    payloadCount: 0,
    payloadLength: 0,
    gsoSize: 0,
    checksumStart: 0,
    checksumOffset: 0,
  };
}

/** A frame that survives the call that made it: for one that waits until its neighbour is resolved. */
export function keepFrame(frame: OutgoingFrame): OutgoingFrame {
  return {
    ...frame,
    header: frame.header.slice(0, frame.headerLength),
    payloadBuffers: frame.payloadBuffers.slice(0, frame.payloadCount),
    payloadOffsets: frame.payloadOffsets.slice(0, frame.payloadCount),
    payloadLengths: frame.payloadLengths.slice(0, frame.payloadCount),
  };
}

export function setDestination(frame: OutgoingFrame, mac: MacAddress): void {
  writeMac(new DataView(frame.header.buffer, frame.header.byteOffset), 0, mac);
}

export class FrameWriter {
  readonly frame: OutgoingFrame = emptyFrame(maximumHeaderLength);
  readonly #view = new DataView(this.frame.header.buffer);
  #identification = 0;

  /** Fills `frame` with `segment`, whose addresses are of one family, and the payload of `range`. */
  write(
    segment: TcpSegment,
    range: SentRange | undefined,
    gsoSize: number,
    via: NetworkInterface,
    destination: MacAddress,
  ): OutgoingFrame {
    const { frame } = this;
    const view = this.#view;
    let payloadLength = 0;
    frame.payloadCount = 0;
    if (range !== undefined) {
      frame.payloadCount = range.pieceCount;
      for (let i = 0; i < range.pieceCount; i++) {
        frame.payloadBuffers[i] = range.buffers[i]!;
        frame.payloadOffsets[i] = range.offsets[i]!;
        frame.payloadLengths[i] = range.lengths[i]!;
        payloadLength += range.lengths[i]!;
      }
    }
    const { source, destination: remote, hopLimit } = segment;
    const trafficClass = (segment.differentiatedServices << 2) | segment.ecn;
    const tcpStart = ipStart + (isIpv6(remote) ? ipv6HeaderLength : ipv4HeaderLength);
    const tcpLength = writeTcp(segment, view, tcpStart) + payloadLength;
    frame.interfaceIndex = via.index;
    frame.headerLength = tcpStart + tcpLength - payloadLength;
    frame.payloadLength = payloadLength;
    frame.gsoSize = gsoSize;
    if (isIpv6(remote)) {
      const ports = segment.sourcePort * 0x10000 + segment.destinationPort;
      const label = flowLabel(source as Ipv6Address, remote, ports);
      writeEthernetHeader(view, 0, destination, via.mac, etherType.ipv6);
      const from = source as Ipv6Address;
      writeIpv6Header(view, ipStart, tcpLength, ipProtocol.tcp, from, remote, trafficClass, label, hopLimit);
    } else {
      const identification = this.#identification;
      this.#identification = (identification + 1) & 0xffff;
      const totalLength = ipv4HeaderLength + tcpLength;
      writeEthernetHeader(view, 0, destination, via.mac, etherType.ipv4);
      writeIpv4Header(
        view,
        ipStart,
        totalLength,
        identification,
        ipProtocol.tcp,
        source as Ipv4Address,
        remote,
        trafficClass,
        hopLimit,
      );
    }
    const pseudoHeader = pseudoHeaderSum(source, remote, ipProtocol.tcp, tcpLength);
    if (via.checksumOffload) {
      frame.checksumStart = tcpStart;
      frame.checksumOffset = tcpChecksumOffset;
      view.setUint16(tcpStart + tcpChecksumOffset, checksumFold(pseudoHeader));
    } else {
      frame.checksumStart = 0;
      frame.checksumOffset = 0;
      view.setUint16(tcpStart + tcpChecksumOffset, this.#wholeChecksum(pseudoHeader, tcpStart));
    }
    return frame;
  }

  #wholeChecksum(pseudoHeader: number, tcpStart: number): number {
    const { frame } = this;
    let sum = checksumAdd(pseudoHeader, frame.header, tcpStart, frame.headerLength - tcpStart);
    let odd = false;
    for (let i = 0; i < frame.payloadCount; i++) {
      const length = frame.payloadLengths[i]!;
      const add = odd ? checksumAddOdd : checksumAdd;
      sum = add(sum, frame.payloadBuffers[i]!, frame.payloadOffsets[i]!, length);
      if (length & 1) odd = !odd;
    }
    return checksumFinish(sum);
  }
}

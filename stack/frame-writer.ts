/** Segments to frames: headers in one reused buffer, payload as views of the application's memory. */

import type { OutgoingFrame } from "./frame.ts";
import type { NetworkInterface } from "./network-interface.ts";
import type { SentRange } from "./tcp/sent-queue.ts";
import { checksumAdd, checksumAddOdd, checksumFinish, checksumFold, pseudoHeaderSum } from "./wire/checksum.ts";
import { etherType, ethernetHeaderLength, type MacAddress, writeEthernetHeader, writeMac } from "./wire/ethernet.ts";
import { ipProtocol, ipv4HeaderLength, writeIpv4Header } from "./wire/ipv4.ts";
import { writeTcp } from "./wire/tcp-emit.ts";
import type { TcpSegment } from "./wire/tcp-segment.ts";

const tcpStart = ethernetHeaderLength + ipv4HeaderLength;
const tcpChecksumOffset = 16;
const maximumHeaderLength = tcpStart + 60;

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

  /** Fills `frame` with `segment` and the payload of `range`; the caller sets the destination's hardware address. */
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
    const tcpLength = writeTcp(segment, view, tcpStart) + payloadLength;
    frame.interfaceIndex = via.index;
    frame.headerLength = tcpStart + tcpLength - payloadLength;
    frame.payloadLength = payloadLength;
    frame.gsoSize = gsoSize;
    writeEthernetHeader(view, 0, destination, via.mac, etherType.ipv4);
    const identification = this.#identification;
    this.#identification = (identification + 1) & 0xffff;
    writeIpv4Header(
      view,
      ethernetHeaderLength,
      ipv4HeaderLength + tcpLength,
      identification,
      ipProtocol.tcp,
      segment.source,
      segment.destination,
      segment.ecn,
    );
    const pseudoHeader = pseudoHeaderSum(segment.source, segment.destination, ipProtocol.tcp, tcpLength);
    if (via.checksumOffload) {
      frame.checksumStart = tcpStart;
      frame.checksumOffset = tcpChecksumOffset;
      view.setUint16(tcpStart + tcpChecksumOffset, checksumFold(pseudoHeader));
    } else {
      frame.checksumStart = 0;
      frame.checksumOffset = 0;
      view.setUint16(tcpStart + tcpChecksumOffset, this.#wholeChecksum(pseudoHeader));
    }
    return frame;
  }

  #wholeChecksum(pseudoHeader: number): number {
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

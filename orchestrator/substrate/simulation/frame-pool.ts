import type { OutgoingFrame } from "../../../stack/frame.ts";
import { etherType, ethernetHeaderLength, type MacAddress, writeEthernetHeader } from "../../../stack/wire/ethernet.ts";
import { ipv4HeaderLength } from "../../../stack/wire/ipv4.ts";
import { ipv6HeaderLength } from "../../../stack/wire/ipv6.ts";
import { readIpv6, type Ipv6Address } from "../../../stack/wire/ipv6-address.ts";
import type { PathPacket } from "../../path/path-element.ts";

const timeToLiveOffset = ethernetHeaderLength + 8;
const headerChecksumOffset = ethernetHeaderLength + 10;
const fragmentOffset = ethernetHeaderLength + 6;
const protocolOffset = ethernetHeaderLength + 9;
const sourceOffset = ethernetHeaderLength + 12;
const destinationOffset = ethernetHeaderLength + 16;
const nextHeaderOffset = ethernetHeaderLength + 6;
const hopLimitOffset = ethernetHeaderLength + 7;
const ipv6SourceOffset = ethernetHeaderLength + 8;
const ipv6DestinationOffset = ethernetHeaderLength + 24;

/** Bytes of headers that a frame has room for: of Ethernet 14, of IPv6 40, of TCP 60. */
const headerCapacity = 128;

/** Hardware addresses that a router puts into the frames that it forwards. */
export interface RewrittenAddresses {
  readonly source: MacAddress;
  readonly destination: MacAddress;
}

/**
 * A frame on its way: its headers, and its payload where the sender has it, which does not change before it has been acknowledged. What routers look at is
 * read once, and what they change is kept beside the header until somebody reads it, so that on its way through the network a frame's bytes are not touched.
 * Lent from a pool; whoever ends its way gives it back.
 */
export class Frame implements PathPacket {
  // First what every router looks at: it stands together in memory.
  /** Of the whole frame. */
  bytes = 0;
  etherType = 0;
  /** As routers have left it. */
  timeToLive = 0;
  /** The addresses and the hash's other words: of IPv4 signed 32-bit numbers, of IPv6 the one object of its value; `ports` 0 where there are none. */
  destination: number | Ipv6Address = 0;
  source: number | Ipv6Address = 0;
  ports = 0;
  protocol = 0;
  /** By the last router; undefined: as the sender wrote them. */
  rewritten: RewrittenAddresses | undefined = undefined;
  headerBytes = 0;
  /** Where a checksum that is not complete yet begins and where it goes, as in `OutgoingFrame`; `checksumStart` 0: all are complete. */
  checksumStart = 0;
  checksumOffset = 0;
  /** Mostly one piece; further ones stand behind it. */
  payload: Uint8Array | undefined = undefined;
  payloadOffset = 0;
  payloadBytes = 0;
  morePayload: readonly Uint8Array[] = none;
  /** The header's memory, from `start`. */
  readonly view: DataView;
  readonly memory: Uint8Array;
  readonly words: Int32Array;
  readonly start: number;

  constructor(memory: Uint8Array, view: DataView, words: Int32Array, start: number) {
    this.memory = memory;
    this.view = view;
    this.words = words;
    this.start = start;
  }

  /** To be called when the header has been written: takes out what routers look at. */
  identify(): void {
    const { view, start } = this;
    this.rewritten = undefined;
    this.etherType = view.getUint16(start + 12);
    if (this.etherType === etherType.ipv4) this.#identifyIpv4();
    else if (this.etherType === etherType.ipv6) this.#identifyIpv6();
  }

  #identifyIpv4(): void {
    const { view, start } = this;
    if (this.bytes < ethernetHeaderLength + ipv4HeaderLength) return;
    this.timeToLive = view.getUint8(start + timeToLiveOffset);
    this.protocol = view.getUint8(start + protocolOffset);
    this.source = view.getInt32(start + sourceOffset);
    this.destination = view.getInt32(start + destinationOffset);
    // Of a fragment only the first has ports: none of a fragmented packet count, as with kernels.
    const fragmented = (view.getUint16(start + fragmentOffset) & 0x3fff) !== 0;
    const portsAt = ethernetHeaderLength + 4 * (view.getUint8(start + ethernetHeaderLength) & 15);
    this.#readPorts(portsAt, fragmented);
  }

  #identifyIpv6(): void {
    const { view, start } = this;
    const portsAt = ethernetHeaderLength + ipv6HeaderLength;
    if (this.bytes < portsAt) return;
    this.timeToLive = view.getUint8(start + hopLimitOffset);
    this.protocol = view.getUint8(start + nextHeaderOffset);
    this.source = readIpv6(view, start + ipv6SourceOffset);
    this.destination = readIpv6(view, start + ipv6DestinationOffset);
    this.#readPorts(portsAt, false);
  }

  #readPorts(at: number, fragmented: boolean): void {
    const hasPorts = (this.protocol === 6 || this.protocol === 17) && !fragmented && this.headerBytes >= at + 4;
    this.ports = hasPorts ? this.view.getInt32(this.start + at) : 0;
  }

  /** Writes into the header what routers have changed. */
  settle(): void {
    const { view, start, rewritten } = this;
    if (rewritten === undefined) return;
    this.rewritten = undefined;
    writeEthernetHeader(view, start, rewritten.destination, rewritten.source, this.etherType);
    if (this.etherType === etherType.ipv6) {
      view.setUint8(start + hopLimitOffset, this.timeToLive);
      return;
    }
    const before = view.getUint8(start + timeToLiveOffset);
    view.setUint8(start + timeToLiveOffset, this.timeToLive);
    let sum = view.getUint16(start + headerChecksumOffset);
    // RFC 1141: at each router the sum grows by what the upper byte of the word lost.
    for (let routers = before - this.timeToLive; routers > 0; routers--) {
      sum += 0x0100;
      sum = (sum + (sum >> 16)) & 0xffff;
    }
    view.setUint16(start + headerChecksumOffset, sum);
  }
}

const none: readonly Uint8Array[] = [];

/** Headers stand in large pieces of memory: pages that no frame has used cost nothing. */
const slabFrames = 4096;

export class FramePool {
  readonly #capacity: number;
  readonly #free: Frame[] = [];
  readonly #whole: Uint8Array;
  readonly #wholeWords: Int32Array;
  #made = 0;

  /** `capacity`: bytes of the longest frame. */
  constructor(capacity: number) {
    this.#capacity = capacity;
    this.#whole = new Uint8Array((Math.max(capacity, headerCapacity) + 3) & ~3);
    this.#wholeWords = new Int32Array(this.#whole.buffer);
  }

  /** Frames that are on their way now. */
  get lent(): number {
    return this.#made - this.#free.length;
  }

  /** Of `headerBytes` bytes, which are to be written and then identified. @throws RangeError when they are more than a frame holds */
  take(headerBytes: number): Frame {
    if (headerBytes > headerCapacity)
      throw new RangeError(`a header of ${headerBytes} bytes, where ${headerCapacity} are the most`);
    if (this.#free.length === 0) this.#makeSlab();
    const frame = this.#free.pop()!;
    frame.headerBytes = headerBytes;
    frame.bytes = headerBytes;
    frame.checksumStart = 0;
    return frame;
  }

  /**
   * What a host sends. `headerWords`: the memory of `outgoing.header`, from its begin on.
   *
   * @throws RangeError when it is more than a link carries
   */
  gather(outgoing: OutgoingFrame, headerWords: Int32Array): Frame {
    const { header, headerLength, payloadBuffers, payloadOffsets, payloadLengths, payloadCount } = outgoing;
    const bytes = headerLength + outgoing.payloadLength;
    if (bytes > this.#capacity) throw new RangeError(`a frame of ${bytes} bytes, where ${this.#capacity} are the most`);
    const frame = this.take(headerLength);
    frame.bytes = bytes;
    frame.checksumStart = outgoing.checksumStart;
    frame.checksumOffset = outgoing.checksumOffset;
    const { words, memory, start } = frame;
    const whole = headerLength >> 2;
    for (let i = 0, at = start >> 2; i < whole; i++) words[at + i] = headerWords[i]!;
    for (let i = whole << 2; i < headerLength; i++) memory[start + i] = header[i]!;
    if (payloadCount > 0) {
      frame.payload = payloadBuffers[0]!;
      frame.payloadOffset = payloadOffsets[0]!;
      frame.payloadBytes = payloadLengths[0]!;
      if (payloadCount > 1) frame.morePayload = piecesFrom(outgoing, 1);
    }
    frame.identify();
    return frame;
  }

  /** The frame as it stands now in one piece, from the begin of memory that is the pool's: until the next call. */
  wholeOf(frame: Frame): Uint8Array {
    frame.settle();
    const whole = this.#whole;
    const { words, memory, start, headerBytes, payload } = frame;
    const first = start >> 2;
    const count = headerBytes >> 2;
    for (let i = 0; i < count; i++) this.#wholeWords[i] = words[first + i]!;
    for (let i = count << 2; i < headerBytes; i++) whole[i] = memory[start + i]!;
    if (payload !== undefined) {
      let at = headerBytes;
      whole.set(payload.subarray(frame.payloadOffset, frame.payloadOffset + frame.payloadBytes), at);
      at += frame.payloadBytes;
      for (const piece of frame.morePayload) {
        whole.set(piece, at);
        at += piece.length;
      }
    }
    return whole;
  }

  give(frame: Frame): void {
    if (frame.payload !== undefined) {
      frame.payload = undefined;
      frame.morePayload = none;
    }
    this.#free.push(frame);
  }

  #makeSlab(): void {
    const memory = new Uint8Array(slabFrames * headerCapacity);
    const view = new DataView(memory.buffer);
    const words = new Int32Array(memory.buffer);
    for (let i = slabFrames - 1; i >= 0; i--) this.#free.push(new Frame(memory, view, words, i * headerCapacity));
    this.#made += slabFrames;
  }
}

function piecesFrom(
  { payloadBuffers, payloadOffsets, payloadLengths, payloadCount }: OutgoingFrame,
  first: number,
): Uint8Array[] {
  const pieces: Uint8Array[] = [];
  for (let i = first; i < payloadCount; i++) {
    const from = payloadOffsets[i]!;
    pieces.push(payloadBuffers[i]!.subarray(from, from + payloadLengths[i]!));
  }
  return pieces;
}

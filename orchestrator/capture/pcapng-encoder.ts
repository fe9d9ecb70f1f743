import {
  blockType,
  byteOrderMagic,
  linkTypeEthernet,
  option,
  packetDirection,
  type PacketDirection,
} from "./pcapng-format.ts";

const nanosecondResolution = 9;

export type EncodedPacket = {
  /** Index of the interface description in the file. */
  interfaceId: number;
  /** CLOCK_REALTIME */
  seconds: number;
  nanoseconds: number;
  /** The captured bytes: `length` of `bytes` from `start`. */
  bytes: Uint8Array;
  start: number;
  length: number;
  originalLength: number;
  direction: PacketDirection;
  comment?: string;
};

/**
 * Writes pcapng blocks one behind the other into memory that grows. Times have nanoseconds. The owner takes
 * {@link bytes} when it likes and calls {@link clear}.
 */
export class PcapngEncoder {
  #bytes: Uint8Array;
  #view: DataView;
  #length = 0;

  constructor(initialBytes = 65_536) {
    this.#bytes = new Uint8Array(initialBytes);
    this.#view = new DataView(this.#bytes.buffer);
  }

  get length(): number {
    return this.#length;
  }

  /** All that was written since the last {@link clear}; a view, valid until the next write. */
  get bytes(): Uint8Array {
    return this.#bytes.subarray(0, this.#length);
  }

  clear(): void {
    this.#length = 0;
  }

  /** Blocks that are encoded already. */
  append(blocks: Uint8Array): void {
    this.#reserve(blocks.length);
    this.#bytes.set(blocks, this.#length);
    this.#length += blocks.length;
  }

  /** The first block of a file. */
  sectionHeader(application: string, comments: readonly string[] = []): void {
    const start = this.#begin(blockType.sectionHeader);
    this.#uint32(byteOrderMagic);
    this.#uint16(1);
    this.#uint16(0);
    this.#uint32(0xffffffff); // section length: not known
    this.#uint32(0xffffffff);
    for (const comment of comments) this.#textOption(option.comment, comment);
    this.#textOption(option.sectionApplication, application);
    this.#end(start);
  }

  /** Interfaces are numbered in the order of these blocks, from 0. */
  interfaceDescription(name: string, description: string | undefined, snapLength: number): void {
    const start = this.#begin(blockType.interfaceDescription);
    this.#uint16(linkTypeEthernet);
    this.#uint16(0);
    this.#uint32(snapLength);
    this.#textOption(option.interfaceName, name);
    if (description !== undefined) this.#textOption(option.interfaceDescription, description);
    this.#option(option.interfaceTimeResolution, Uint8Array.of(nanosecondResolution));
    this.#end(start);
  }

  packet(packet: EncodedPacket): void {
    const start = this.#begin(blockType.enhancedPacket);
    this.#uint32(packet.interfaceId);
    this.#timestamp(packet.seconds, packet.nanoseconds);
    this.#uint32(packet.length);
    this.#uint32(packet.originalLength);
    this.#reserve(packet.length + 3);
    this.#bytes.set(packet.bytes.subarray(packet.start, packet.start + packet.length), this.#length);
    this.#length += packet.length;
    this.#pad();
    this.#uint16(option.packetFlags);
    this.#uint16(4);
    this.#uint32(packetDirection[packet.direction]);
    if (packet.comment !== undefined) this.#textOption(option.comment, packet.comment);
    this.#end(start);
  }

  /** How many packets an interface had and how many of them the capture lost. */
  interfaceStatistics(
    interfaceId: number,
    end: { seconds: number; nanoseconds: number },
    received: number,
    dropped: number,
  ): void {
    const start = this.#begin(blockType.interfaceStatistics);
    this.#uint32(interfaceId);
    this.#timestamp(end.seconds, end.nanoseconds);
    this.#countOption(option.statisticsReceived, received);
    this.#countOption(option.statisticsDropped, dropped);
    this.#end(start);
  }

  #begin(type: number): number {
    const start = this.#length;
    this.#uint32(type);
    this.#uint32(0);
    return start;
  }

  #end(start: number): void {
    this.#uint32(option.end);
    const length = this.#length + 4 - start;
    this.#view.setUint32(start + 4, length, true);
    this.#uint32(length);
  }

  /** Nanoseconds since 1970 as two words, high one first; without BigInt. */
  #timestamp(seconds: number, nanoseconds: number): void {
    const upper = Math.floor(seconds / 0x10000) * 1e9; // in units of 2^16 ns
    const rest = (upper % 0x10000) * 0x10000 + (seconds % 0x10000) * 1e9 + nanoseconds;
    this.#uint32(Math.floor(upper / 0x10000) + Math.floor(rest / 0x100000000));
    this.#uint32(rest % 0x100000000);
  }

  #textOption(code: number, text: string): void {
    this.#option(code, new TextEncoder().encode(text));
  }

  #countOption(code: number, count: number): void {
    const bytes = new Uint8Array(8);
    new DataView(bytes.buffer).setBigUint64(0, BigInt(count), true);
    this.#option(code, bytes);
  }

  #option(code: number, value: Uint8Array): void {
    if (value.length > 0xffff) throw new RangeError(`a pcapng option holds at most 65535 bytes, not ${value.length}`);
    this.#uint16(code);
    this.#uint16(value.length);
    this.#reserve(value.length + 3);
    this.#bytes.set(value, this.#length);
    this.#length += value.length;
    this.#pad();
  }

  #pad(): void {
    while (this.#length % 4 !== 0) this.#bytes[this.#length++] = 0;
  }

  #uint16(value: number): void {
    this.#reserve(2);
    this.#view.setUint16(this.#length, value, true);
    this.#length += 2;
  }

  #uint32(value: number): void {
    this.#reserve(4);
    this.#view.setUint32(this.#length, value, true);
    this.#length += 4;
  }

  #reserve(bytes: number): void {
    if (this.#length + bytes <= this.#bytes.length) return;
    const grown = new Uint8Array(Math.max(this.#length + bytes, this.#bytes.length * 2));
    grown.set(this.bytes);
    this.#bytes = grown;
    this.#view = new DataView(grown.buffer);
  }
}

import { createReadStream } from "node:fs";
import { blockType, byteOrderMagic, option, packetDirection, type PacketDirection } from "./pcapng-format.ts";

/** One block of a capture. Interface numbers count within the section. Unknown block types are passed over. */
export type PcapngBlock =
  | { type: "section"; comments: string[]; application: string | undefined }
  | {
      type: "interface";
      interfaceId: number;
      name: string | undefined;
      description: string | undefined;
      linkType: number;
      snapLength: number;
    }
  | PcapngPacket
  | { type: "statistics"; interfaceId: number; received: number | undefined; dropped: number | undefined };

export type PcapngPacket = {
  type: "packet";
  interfaceId: number;
  /** Time of day: whole seconds since 1970 and the rest. */
  seconds: number;
  nanoseconds: number;
  /** The captured bytes; the memory belongs to the caller. */
  data: Uint8Array;
  originalLength: number;
  direction: PacketDirection;
  comments: string[];
};

/** The file is no pcapng, is damaged, or ends within a block (a capture that was killed): everything before was read. */
export class PcapngError extends Error {
  override readonly name = "PcapngError";
  readonly offset: number;

  constructor(offset: number, problem: string) {
    super(`byte ${offset}: ${problem}`);
    this.offset = offset;
  }
}

const largestBlock = 16 << 20;

/** Blocks of a file in their order, without holding it in memory. @throws PcapngError, or the error of opening it */
export function readPcapng(file: string): AsyncGenerator<PcapngBlock, void, undefined> {
  return decodePcapng(createReadStream(file, { highWaterMark: 1 << 18 }));
}

/** The same of any sequence of chunks, however they are cut. */
export async function* decodePcapng(
  chunks: AsyncIterable<Uint8Array> | Iterable<Uint8Array>,
): AsyncGenerator<PcapngBlock, void, undefined> {
  const decoder = new SectionDecoder();
  let rest = new Uint8Array(0);
  let offset = 0;
  for await (const chunk of chunks) {
    let bytes: Uint8Array = chunk;
    if (rest.length > 0) {
      bytes = new Uint8Array(rest.length + chunk.length);
      bytes.set(rest);
      bytes.set(chunk, rest.length);
    }
    let at = 0;
    for (;;) {
      const length = decoder.blockLength(bytes, at, offset + at);
      if (length === undefined || at + length > bytes.length) break;
      const block = decoder.decode(bytes, at, length, offset + at);
      if (block !== undefined) yield block;
      at += length;
    }
    rest = bytes.slice(at);
    offset += at;
  }
  if (offset === 0 && rest.length === 0) throw new PcapngError(0, "the file is empty");
  if (rest.length > 0) throw new PcapngError(offset, "the file ends within a block");
}

type Options = Map<number, Uint8Array[]>;

/** Byte order and interfaces of the current section. */
class SectionDecoder {
  #littleEndian = true;
  #inSection = false;
  /** Units of a timestamp per second, of each interface. */
  #resolutions: bigint[] = [];

  /** Undefined: not enough bytes to tell. */
  blockLength(bytes: Uint8Array, at: number, offset: number): number | undefined {
    if (bytes.length - at < 12) return undefined;
    const view = new DataView(bytes.buffer, bytes.byteOffset + at);
    if (view.getUint32(0) === blockType.sectionHeader) {
      const magic = view.getUint32(8);
      if (magic !== byteOrderMagic && view.getUint32(8, true) !== byteOrderMagic)
        throw new PcapngError(offset, "no byte-order magic in the section header");
      this.#littleEndian = magic !== byteOrderMagic;
    } else if (!this.#inSection) {
      throw new PcapngError(offset, "not a pcapng file: it does not begin with a section header");
    }
    const length = view.getUint32(4, this.#littleEndian);
    if (length < 12 || length % 4 !== 0 || length > largestBlock)
      throw new PcapngError(offset, `a block cannot be ${length} bytes long`);
    return length;
  }

  decode(bytes: Uint8Array, at: number, length: number, offset: number): PcapngBlock | undefined {
    const view = new DataView(bytes.buffer, bytes.byteOffset + at, length);
    if (view.getUint32(length - 4, this.#littleEndian) !== length)
      throw new PcapngError(offset, "the lengths at both ends of the block differ");
    const type = view.getUint32(0, this.#littleEndian);
    const fixedBytes: Record<number, number> = {
      [blockType.sectionHeader]: 28,
      [blockType.interfaceDescription]: 20,
      [blockType.enhancedPacket]: 32,
      [blockType.interfaceStatistics]: 24,
    };
    if (length < (fixedBytes[type] ?? 12)) throw new PcapngError(offset, `block type ${type} is too short`);
    switch (type) {
      case blockType.sectionHeader:
        return this.#section(view, offset);
      case blockType.interfaceDescription:
        return this.#interface(view, offset);
      case blockType.enhancedPacket:
        return this.#packet(view, offset);
      case blockType.interfaceStatistics:
        return this.#statistics(view, offset);
      default:
        return undefined;
    }
  }

  #section(view: DataView, offset: number): PcapngBlock {
    this.#inSection = true;
    this.#resolutions = [];
    const options = this.#options(view, 24, offset);
    return {
      type: "section",
      comments: texts(options, option.comment),
      application: text(options, option.sectionApplication),
    };
  }

  #interface(view: DataView, offset: number): PcapngBlock {
    const options = this.#options(view, 16, offset);
    const resolution = options.get(option.interfaceTimeResolution)?.[0]?.[0] ?? 6;
    this.#resolutions.push(resolution & 0x80 ? 1n << BigInt(resolution & 0x7f) : 10n ** BigInt(resolution));
    return {
      type: "interface",
      interfaceId: this.#resolutions.length - 1,
      name: text(options, option.interfaceName),
      description: text(options, option.interfaceDescription),
      linkType: view.getUint16(8, this.#littleEndian),
      snapLength: view.getUint32(12, this.#littleEndian),
    };
  }

  #packet(view: DataView, offset: number): PcapngBlock {
    const interfaceId = view.getUint32(8, this.#littleEndian);
    const unitsPerSecond = this.#resolutions[interfaceId];
    if (unitsPerSecond === undefined)
      throw new PcapngError(offset, `a packet of interface ${interfaceId}, not described`);
    const length = view.getUint32(20, this.#littleEndian);
    if (28 + length > view.byteLength - 4) throw new PcapngError(offset, "a packet is longer than its block");
    const units =
      (BigInt(view.getUint32(12, this.#littleEndian)) << 32n) | BigInt(view.getUint32(16, this.#littleEndian));
    const options = this.#options(view, 28 + Math.ceil(length / 4) * 4, offset);
    const flags = options.get(option.packetFlags)?.[0];
    const bits = flags?.length === 4 ? viewOf(flags).getUint32(0, this.#littleEndian) & 3 : packetDirection.unknown;
    return {
      type: "packet",
      interfaceId,
      seconds: Number(units / unitsPerSecond),
      nanoseconds: Number(((units % unitsPerSecond) * 1_000_000_000n) / unitsPerSecond),
      data: new Uint8Array(view.buffer, view.byteOffset + 28, length).slice(),
      originalLength: view.getUint32(24, this.#littleEndian),
      direction: bits === 1 ? "inbound" : bits === 2 ? "outbound" : "unknown",
      comments: texts(options, option.comment),
    };
  }

  #statistics(view: DataView, offset: number): PcapngBlock {
    const options = this.#options(view, 20, offset);
    const count = (code: number) => {
      const value = options.get(code)?.[0];
      return value?.length === 8 ? Number(viewOf(value).getBigUint64(0, this.#littleEndian)) : undefined;
    };
    return {
      type: "statistics",
      interfaceId: view.getUint32(8, this.#littleEndian),
      received: count(option.statisticsReceived),
      dropped: count(option.statisticsDropped),
    };
  }

  #options(view: DataView, start: number, offset: number): Options {
    const options: Options = new Map();
    const end = view.byteLength - 4;
    for (let at = start; at + 4 <= end;) {
      const code = view.getUint16(at, this.#littleEndian);
      const length = view.getUint16(at + 2, this.#littleEndian);
      if (code === option.end) break;
      if (at + 4 + length > end) throw new PcapngError(offset, "an option is longer than its block");
      const value = new Uint8Array(view.buffer, view.byteOffset + at + 4, length).slice();
      const values = options.get(code);
      if (values === undefined) options.set(code, [value]);
      else values.push(value);
      at += 4 + Math.ceil(length / 4) * 4;
    }
    return options;
  }
}

function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

function texts(options: Options, code: number): string[] {
  return (options.get(code) ?? []).map((value) => new TextDecoder().decode(value));
}

function text(options: Options, code: number): string | undefined {
  return texts(options, code)[0];
}

import { PcapngEncoder, type EncodedPacket } from "./pcapng-encoder.ts";

type Entry = { order: number; start: number; end: number };

/**
 * Packets of several interfaces, each in its own order, on their way to one file: encoded when they come, given out in
 * order of time. Who asks for all before a moment that lies long enough back gets the whole file in order.
 */
export class TimeOrderedPackets {
  #encoder = new PcapngEncoder(1 << 20);
  #spare = new PcapngEncoder(1 << 20);
  #entries: Entry[] = [];
  #firstSecond: number | undefined;

  get bytes(): number {
    return this.#encoder.length;
  }

  add(packet: EncodedPacket): void {
    this.#firstSecond ??= packet.seconds;
    const start = this.#encoder.length;
    this.#encoder.packet(packet);
    this.#entries.push({ order: this.#order(packet.seconds, packet.nanoseconds), start, end: this.#encoder.length });
  }

  /** Removes and returns, in order, all packets up to this time of day; a copy that belongs to the caller. */
  takeUntil(seconds: number, nanoseconds: number): Uint8Array {
    const limit = this.#order(seconds, nanoseconds);
    this.#entries.sort((a, b) => a.order - b.order);
    let count = 0;
    let bytes = 0;
    for (; count < this.#entries.length && this.#entries[count]!.order <= limit; count++)
      bytes += this.#entries[count]!.end - this.#entries[count]!.start;
    const taken = new Uint8Array(bytes);
    const source = this.#encoder.bytes;
    let at = 0;
    for (const { start, end } of this.#entries.slice(0, count)) {
      taken.set(source.subarray(start, end), at);
      at += end - start;
    }
    this.#keep(this.#entries.slice(count));
    return taken;
  }

  #keep(entries: Entry[]): void {
    const source = this.#encoder.bytes;
    this.#spare.clear();
    this.#entries = entries.map(({ order, start, end }) => {
      const moved = this.#spare.length;
      this.#spare.append(source.subarray(start, end));
      return { order, start: moved, end: this.#spare.length };
    });
    [this.#encoder, this.#spare] = [this.#spare, this.#encoder];
  }

  /** Nanoseconds since the second of the first packet: exact, where those since 1970 do not fit a number. */
  #order(seconds: number, nanoseconds: number): number {
    return (seconds - (this.#firstSecond ?? seconds)) * 1e9 + nanoseconds;
  }
}

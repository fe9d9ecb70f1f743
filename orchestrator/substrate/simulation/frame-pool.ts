import type { OutgoingFrame } from "../../../stack/frame.ts";
import type { PathPacket } from "../../path/path-element.ts";

/** A frame on its way: `bytes` bytes of `memory` from `start`. Lent from a pool; whoever ends its way gives it back. */
export class Frame implements PathPacket {
  bytes = 0;
  /** Where a checksum that is not complete yet begins and where it goes, as in `OutgoingFrame`; `checksumStart` 0: all are complete. */
  checksumStart = 0;
  checksumOffset = 0;
  readonly memory: Uint8Array;
  readonly view: DataView;
  readonly start: number;

  constructor(memory: Uint8Array, view: DataView, start: number) {
    this.memory = memory;
    this.view = view;
    this.start = start;
  }
}

/** A stack makes a new view whenever the memory changes: better many frames in one. Pages that no frame has used cost nothing. */
const slabFrames = 4096;

/** Frames of equal capacity in large pieces of memory: who reads them one after the other mostly stays in one piece. */
export class FramePool {
  readonly #capacity: number;
  readonly #free: Frame[] = [];
  #made = 0;

  /** `capacity`: bytes of the longest frame. */
  constructor(capacity: number) {
    this.#capacity = (capacity + 63) & ~63;
  }

  /** Frames that are on their way now. */
  get lent(): number {
    return this.#made - this.#free.length;
  }

  /** @throws RangeError when `bytes` are more than a frame holds */
  take(bytes: number): Frame {
    if (bytes > this.#capacity) throw new RangeError(`a frame of ${bytes} bytes, where ${this.#capacity} are the most`);
    if (this.#free.length === 0) this.#makeSlab();
    const frame = this.#free.pop()!;
    frame.bytes = bytes;
    frame.checksumStart = 0;
    return frame;
  }

  /** Gathers what a host sends into one frame: the only copy on its whole way. */
  gather(outgoing: OutgoingFrame): Frame {
    const { header, headerLength, payloadBuffers, payloadOffsets, payloadLengths, payloadCount, payloadLength } =
      outgoing;
    const frame = this.take(headerLength + payloadLength);
    frame.checksumStart = outgoing.checksumStart;
    frame.checksumOffset = outgoing.checksumOffset;
    const { memory } = frame;
    let at = frame.start;
    for (let i = 0; i < headerLength; i++) memory[at + i] = header[i]!;
    at += headerLength;
    for (let piece = 0; piece < payloadCount; piece++) {
      const from = payloadOffsets[piece]!;
      memory.set(payloadBuffers[piece]!.subarray(from, from + payloadLengths[piece]!), at);
      at += payloadLengths[piece]!;
    }
    return frame;
  }

  give(frame: Frame): void {
    this.#free.push(frame);
  }

  #makeSlab(): void {
    const memory = new Uint8Array(slabFrames * this.#capacity);
    const view = new DataView(memory.buffer);
    for (let i = slabFrames - 1; i >= 0; i--) this.#free.push(new Frame(memory, view, i * this.#capacity));
    this.#made += slabFrames;
  }
}

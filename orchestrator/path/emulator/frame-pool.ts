import type { PathPacket } from "../path-element.ts";

/** A frame on its way: one slot of the packet memory. */
export type Frame = PathPacket & { bytes: number; readonly slot: number };

/** Who holds which slot: each is either free, waits to be received into, or travels as a frame. */
export class FramePool {
  readonly #frames: Frame[] = [];
  readonly #free: Frame[] = [];
  readonly #slots: number;

  constructor(slots: number) {
    this.#slots = slots;
  }

  /** A free slot, undefined when there is none. Slots used before come first: their memory is warm. */
  take(): Frame | undefined {
    const used = this.#free.pop();
    if (used !== undefined || this.#frames.length === this.#slots) return used;
    const frame: Frame = { bytes: 0, slot: this.#frames.length };
    this.#frames.push(frame);
    return frame;
  }

  /** The frame in a slot that was taken. */
  at(slot: number): Frame {
    return this.#frames[slot]!;
  }

  give(frame: Frame): void {
    this.#free.push(frame);
  }
}

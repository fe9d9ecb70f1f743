/**
 * Memory that a process has freed and the C library keeps. What a gateway carries lies in pieces of a few bytes to 256 KiB, freed in no order; glibc gives back only what is
 * free at the end of its heap, so that a busy minute stays resident for good, a little more with each that is busier. Seen: 14 MiB in use and 324 MiB kept.
 */
import { nativeAddon } from "./native/addon.ts";

/** How often it is worth a look. */
export const freedMemoryLookMilliseconds = 5_000;
/** What the process must have grown by: to give back 200 MiB took 14 ms, and they have to be mapped again if they are needed. */
const worthwhileBytes = 32 * 2 ** 20;

export interface ProcessMemory {
  residentBytes(): number;
  /** Gives back the pages on which nothing is in use. */
  returnFreed(): void;
}

const memoryOfThisProcess: ProcessMemory = {
  residentBytes: () => process.memoryUsage.rss(),
  returnFreed: () => nativeAddon().returnFreedMemory(),
};

export class FreedMemory {
  readonly #memory: ProcessMemory;
  /** Of resident memory, since it was last given back. */
  #leastBytes = 0;

  constructor(memory = memoryOfThisProcess) {
    this.#memory = memory;
  }

  /** Gives freed memory back when there may be much of it. */
  look(): void {
    const residentBytes = this.#memory.residentBytes();
    if (residentBytes < this.#leastBytes + worthwhileBytes) {
      this.#leastBytes = Math.min(this.#leastBytes, residentBytes);
      return;
    }
    this.#memory.returnFreed();
    this.#leastBytes = this.#memory.residentBytes();
  }
}

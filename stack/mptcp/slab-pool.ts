/** Memory of received bytes between two uses: what one read has emptied, the next segments fill, so that a fast connection asks the system for none. */

/** So many of each size are kept for the next burst. */
const limit = 16;

export class SlabPool {
  readonly #free = new Map<number, Uint8Array[]>();

  /** `size` bytes, of any content. */
  take(size: number): Uint8Array {
    return this.#free.get(size)?.pop() ?? new Uint8Array(size);
  }

  /** Nobody has a view of it any more. */
  give(slab: Uint8Array): void {
    const free = this.#free.get(slab.length);
    if (free === undefined) this.#free.set(slab.length, [slab]);
    else if (free.length < limit) free.push(slab);
  }
}

/** Memory of received bytes between two uses: what one read has emptied, the next segments fill, so that a fast connection asks the system for none. */

/** So many are kept for the next burst. */
const limit = 16;

export class SlabPool {
  readonly #free: Uint8Array[] = [];

  /** `size` bytes, of any content. All that one pool gives and takes have the same size. */
  take(size: number): Uint8Array {
    return this.#free.pop() ?? new Uint8Array(size);
  }

  /** Nobody has a view of it any more. */
  give(slab: Uint8Array): void {
    if (this.#free.length < limit) this.#free.push(slab);
  }
}

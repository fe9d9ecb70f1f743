/**
 * The SACK blocks that a peer has reported last. It repeats each of them with several acknowledgements, and the latest grows at its end (RFC 2018 §4): what is known of
 * a block need not be looked through again, which in a window of thousands of segments costs more than all else that an acknowledgement asks for.
 */

import type { SentRange } from "./sent-queue.ts";

export interface SackBlock {
  /** Offsets: all from `left` to `right` is acknowledged selectively; -1: of no block. */
  left: number;
  right: number;
  /** Where `right` stands in the queue, if anything was sent from there on. */
  following: SentRange | undefined;
}

/** An acknowledgement holds no more (RFC 2018 §3). */
const count = 4;

export class SackBlocks {
  readonly #blocks: SackBlock[] = [];
  #oldest = 0;

  /** What is known of the block that begins at `left`; of a new one nothing yet. */
  beginningAt(left: number): SackBlock {
    for (const block of this.#blocks) if (block.left === left) return block;
    const block = (this.#blocks[this.#oldest] ??= { left, right: left, following: undefined });
    this.#oldest = (this.#oldest + 1) % count;
    block.left = left;
    block.right = left;
    block.following = undefined;
    return block;
  }

  clear(): void {
    for (const block of this.#blocks) {
      block.left = -1;
      block.following = undefined;
    }
  }
}

/**
 * Small writes of all connections of a host are copied here one behind the other, so that a segment does not consist of hundreds of pieces. Each stretch of this memory is written once; it
 * lives as long as some connection still sends from it, and one that waits for nothing holds none of it.
 */

import { copyBytes } from "./copy-bytes.ts";

const size = 16_384;

export class GatherMemory {
  /** That of the bytes added last; they end at `end`. */
  bytes: Uint8Array = new Uint8Array(0);
  end = 0;

  /** Copies the first `length` bytes of `chunk`; no more than 16,384. */
  add(chunk: Uint8Array, length: number): void {
    if (this.end + length > this.bytes.length) {
      this.bytes = new Uint8Array(size);
      this.end = 0;
    }
    copyBytes(chunk, 0, this.bytes, this.end, length);
    this.end += length;
  }
}

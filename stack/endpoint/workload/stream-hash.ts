import { createHash } from "node:crypto";

/** A call costs as much as hashing a thousand bytes or two: so many are hashed at once where they stand together. */
const togetherBytes = 64 * 1024;

/**
 * SHA-256 of a stream that comes in chunks. Chunks that follow each other in one piece of memory, as those of one socket mostly do, are hashed together: the
 * memory must not change once it is handed over.
 */
export class StreamHash {
  readonly #hash = createHash("sha256");
  #memory: ArrayBufferLike | undefined;
  #start = 0;
  #end = 0;

  update(chunk: Uint8Array): void {
    if (chunk.buffer !== this.#memory || chunk.byteOffset !== this.#end) {
      this.#flush();
      this.#memory = chunk.buffer;
      this.#start = chunk.byteOffset;
    }
    this.#end = chunk.byteOffset + chunk.length;
    if (this.#end - this.#start >= togetherBytes) this.#flush();
  }

  /** Hexadecimal; once, at the end. */
  digest(): string {
    this.#flush();
    return this.#hash.digest("hex");
  }

  #flush(): void {
    if (this.#memory !== undefined)
      this.#hash.update(new Uint8Array(this.#memory, this.#start, this.#end - this.#start));
    this.#memory = undefined;
  }
}

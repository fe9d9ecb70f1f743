import { createHash } from "node:crypto";

/** A call costs as much as hashing a thousand bytes or two: so many are hashed at once where they stand together. */
const togetherBytes = 64 * 1024;

/**
 * SHA-256 of a stream. Its bytes are received into memory of the hash's own (`room`, `received`), or they come in chunks (`update`), which are hashed together where they follow
 * each other in one piece of memory, as those of one socket mostly do: that memory must not change once it is handed over.
 */
export class StreamHash {
  readonly #hash = createHash("sha256");
  #memory: ArrayBufferLike | undefined;
  #start = 0;
  #end = 0;
  #own: ArrayBuffer | undefined;

  update(chunk: Uint8Array): void {
    if (chunk.buffer !== this.#memory || chunk.byteOffset !== this.#end) {
      this.#flush();
      this.#memory = chunk.buffer;
      this.#start = chunk.byteOffset;
    }
    this.#end = chunk.byteOffset + chunk.length;
    if (this.#end - this.#start >= togetherBytes) this.#flush();
  }

  /** Where the next bytes are to be put. */
  room(): Uint8Array {
    const own = (this.#own ??= new ArrayBuffer(togetherBytes));
    return new Uint8Array(own, this.#memory === own ? this.#end : 0);
  }

  /** So many have been put there. */
  received(bytes: number): void {
    const own = this.#own!;
    if (this.#memory !== own) {
      this.#flush();
      this.#memory = own;
      this.#start = 0;
      this.#end = 0;
    }
    this.#end += bytes;
    if (this.#end === togetherBytes) this.#flush();
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

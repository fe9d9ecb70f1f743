/** Connection-level receive side: bytes of all subflows in the order of their data sequence numbers (RFC 8684 §3.3.2), and the window that they share. */

const smallestSlab = 4_096;
const largestSlab = 262_144;

interface Piece {
  start: number;
  end: number;
  bytes: Uint8Array;
}

export class Reassembly {
  #limit: number;
  /** The next data offset that is missing; it counts DATA_FIN. */
  next = 0;
  /** Data offset of DATA_FIN; Infinity before it is known. */
  finOffset: number = Number.POSITIVE_INFINITY;
  outOfOrderBytes = 0;
  /** Data offset up to which the application has read. */
  #consumed = 0;
  #edge: number;
  #pieces: Piece[] = [];

  /** Filled slabs that wait to be read, then the one that is being filled. */
  #filled: Uint8Array[] = [];
  #slab = new Uint8Array(0);
  #slabStart = 0;
  #slabEnd = 0;
  #slabSize = smallestSlab;

  constructor(limit: number) {
    this.#limit = limit;
    this.#edge = limit;
  }

  /** Bytes that may be held. */
  get limit(): number {
    return this.#limit;
  }

  /** Data offset up to which the application has read. */
  get consumed(): number {
    return this.#consumed;
  }

  /** More may be held from now on. */
  grow(limit: number): void {
    this.#limit = limit;
    this.#edge = Math.max(this.#edge, this.#consumed + limit);
  }

  /** What may be advertised, counted from `next` (RFC 8684 §3.3.5). */
  get window(): number {
    return Math.max(0, this.#edge - this.next);
  }

  /** First data offset beyond the window; it never moves back. */
  get windowEdge(): number {
    return this.#edge;
  }

  get readableBytes(): number {
    return this.receivedInOrder - this.#consumed;
  }

  /** Bytes of data without DATA_FIN. */
  get receivedInOrder(): number {
    return this.complete ? this.finOffset : this.next;
  }

  /** DATA_FIN has been reached. */
  get complete(): boolean {
    return this.next > this.finOffset;
  }

  /** Bytes at data offset `start`, only lent. Duplicates and what exceeds the window are dropped. True: `next` moved. */
  receive(start: number, bytes: Uint8Array, offset: number, length: number): boolean {
    const skip = this.next - start;
    if (skip > 0) {
      start += skip;
      offset += skip;
      length -= skip;
    }
    length = Math.min(length, this.#edge - start, this.finOffset - start);
    if (length <= 0) return false;
    if (start > this.next) {
      this.#keep(start, bytes, offset, length);
      return false;
    }
    this.#append(bytes, offset, length);
    if (this.#pieces.length > 0) this.#release();
    this.#passFin();
    return true;
  }

  /** DATA_FIN stands at `offset`. True: `next` moved over it. */
  receiveFin(offset: number): boolean {
    if (this.finOffset !== Number.POSITIVE_INFINITY || offset < this.next) return false;
    this.finOffset = offset;
    return this.#passFin();
  }

  /** In-order bytes, at most `limit`; they are the caller's. */
  read(limit: number): Uint8Array | undefined {
    let chunk = this.#filled[0];
    if (chunk !== undefined) {
      if (chunk.length > limit) {
        this.#filled[0] = chunk.subarray(limit);
        chunk = chunk.subarray(0, limit);
      } else this.#filled.shift();
    } else {
      const length = Math.min(limit, this.#slabEnd - this.#slabStart);
      if (length === 0) return undefined;
      chunk = this.#slab.subarray(this.#slabStart, this.#slabStart + length);
      this.#slabStart += length;
    }
    this.#consumed += chunk.length;
    this.#edge = Math.max(this.#edge, this.#consumed + this.#limit);
    return chunk;
  }

  clear(): void {
    this.#pieces = [];
    this.outOfOrderBytes = 0;
  }

  #passFin(): boolean {
    if (this.next !== this.finOffset) return false;
    this.next++;
    return true;
  }

  #append(bytes: Uint8Array, offset: number, length: number): void {
    this.next += length;
    while (length > 0) {
      if (this.#slabEnd === this.#slab.length) this.#newSlab();
      const taken = Math.min(length, this.#slab.length - this.#slabEnd);
      this.#slab.set(bytes.subarray(offset, offset + taken), this.#slabEnd);
      this.#slabEnd += taken;
      offset += taken;
      length -= taken;
    }
  }

  #newSlab(): void {
    if (this.#slabEnd > this.#slabStart) this.#filled.push(this.#slab.subarray(this.#slabStart, this.#slabEnd));
    this.#slab = new Uint8Array(this.#slabSize);
    this.#slabSize = Math.min(largestSlab, this.#slabSize * 2);
    this.#slabStart = 0;
    this.#slabEnd = 0;
  }

  /** Out of order: only what nobody holds yet is copied. */
  #keep(start: number, bytes: Uint8Array, offset: number, length: number): void {
    const pieces = this.#pieces;
    let low = 0;
    let high = pieces.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (pieces[middle]!.start <= start) low = middle + 1;
      else high = middle;
    }
    let at = low;
    const end = start + length;
    const before = pieces[at - 1];
    if (before !== undefined && before.end > start) {
      offset += before.end - start;
      start = before.end;
    }
    while (start < end) {
      const after = pieces[at];
      const gapEnd = after === undefined ? end : Math.min(end, after.start);
      if (gapEnd > start) {
        pieces.splice(at, 0, { start, end: gapEnd, bytes: bytes.slice(offset, offset + (gapEnd - start)) });
        this.outOfOrderBytes += gapEnd - start;
        at++;
      }
      if (after === undefined) return;
      offset += after.end - start;
      start = after.end;
      at++;
    }
  }

  #release(): void {
    let taken = 0;
    for (const piece of this.#pieces) {
      if (piece.start > this.next) break;
      taken++;
      this.outOfOrderBytes -= piece.end - piece.start;
      const skip = this.next - piece.start;
      if (skip < piece.bytes.length) this.#append(piece.bytes, skip, piece.bytes.length - skip);
    }
    if (taken > 0) this.#pieces.splice(0, taken);
  }
}

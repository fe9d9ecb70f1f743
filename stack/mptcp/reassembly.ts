/** Connection-level receive side: bytes of all subflows in the order of their data sequence numbers (RFC 8684 §3.3.2), and the window that they share. */

import { copyBytes } from "./copy-bytes.ts";
import { SlabPool } from "./slab-pool.ts";

/** Slab i holds `slabSize(i)` bytes from data offset `slabStart(i)` on: small ones first, since most connections are short. */
const smallestSlab = 4_096;
const doublings = 6;
const largestSlab = smallestSlab * 2 ** doublings;
/** Where the slabs of the largest size begin. */
const evenFrom = largestSlab - smallestSlab;
/** What is read at once and is no longer than that gets memory of its own: a slab of which the application has a view can be no other's. */
const smallRead = 1_024;

/** What has come before its turn: the bytes stand in their slabs already. */
interface Island {
  start: number;
  end: number;
}

/** One buffer may be offered by many readers: who has placed bytes in it, which only one can have at a time. */
interface MemoryUse {
  by: Reassembly | undefined;
}

interface OfferedMemory {
  readonly target: Uint8Array;
  readonly use: MemoryUse;
}

const memoryUse = new WeakMap<ArrayBufferLike, MemoryUse>();

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
  /** In order; none touches another or `next`. */
  #islands: Island[] = [];
  /** From the one that is being read on; those that nothing has come for yet are not made. */
  #slabs: (Uint8Array | undefined)[] = [];
  #firstSlab = 0;
  /** A part of the first one belongs to the application. */
  #firstIsShared = false;
  /** Memory that the reader has offered; its first `#placed` bytes are the next that can be read, and have no slab. */
  #offered: OfferedMemory | undefined;
  #placed = 0;
  #lastOffered: OfferedMemory | undefined;
  readonly #pool: SlabPool;

  constructor(limit: number, pool: SlabPool = new SlabPool()) {
    this.#limit = limit;
    this.#pool = pool;
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

  /** What is kept for bytes that came and were not read, and for those that come next. */
  get heldBytes(): number {
    return this.#slabs.reduce((sum, slab) => sum + (slab?.length ?? 0), 0);
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
    const placed = this.#offered === undefined ? 0 : this.#place(this.#offered, bytes, offset, length);
    this.#write(start + placed, bytes, offset + placed, length - placed);
    this.next += length;
    if (this.#islands.length > 0) this.#reachIslands();
    this.#passFin();
    return true;
  }

  /** DATA_FIN stands at `offset`. True: `next` moved over it. */
  receiveFin(offset: number): boolean {
    if (this.finOffset !== Number.POSITIVE_INFINITY || offset < this.next) return false;
    this.finOffset = offset;
    return this.#passFin();
  }

  /**
   * What comes next may be put into `target` at once, which saves a copy; that it was, `readInto` with the same memory tells. Until then, or until other memory or none is
   * offered, it belongs to the connection.
   */
  offer(target: Uint8Array | undefined): void {
    if (target === this.#offered?.target) return;
    this.#withdraw();
    // Mostly it is the one of last time.
    if (target !== this.#lastOffered?.target) this.#lastOffered = target && offeredMemoryOf(target);
    this.#offered = this.#lastOffered;
  }

  /** In-order bytes, at most `limit`; they are the caller's. */
  read(limit: number): Uint8Array | undefined {
    this.#withdraw();
    const readable = Math.min(limit, this.readableBytes);
    if (readable <= 0) return undefined;
    const slab = this.#slabs[0]!;
    const from = this.#readOffset;
    const length = Math.min(readable, slab.length - from);
    const isSmall = length <= smallRead;
    const chunk = isSmall ? slab.slice(from, from + length) : slab.subarray(from, from + length);
    if (!isSmall) this.#firstIsShared = true;
    this.#consume(length);
    return chunk;
  }

  /** In-order bytes into `target`, as many as fit; returns how many. */
  readInto(target: Uint8Array): number {
    const length = Math.min(target.length, this.readableBytes);
    let filled = this.#takePlaced(target);
    while (filled < length) {
      const slab = this.#slabs[0]!;
      const from = this.#readOffset;
      const taken = Math.min(length - filled, slab.length - from);
      copyBytes(slab, from, target, filled, taken);
      filled += taken;
      this.#consume(taken);
    }
    return length;
  }

  clear(): void {
    this.#islands = [];
    this.outOfOrderBytes = 0;
  }

  /** Where in the first slab the readable bytes begin. */
  get #readOffset(): number {
    return this.#consumed - slabStart(this.#firstSlab);
  }

  /** How many bytes, at the place of the next that are missing, the offered memory takes. */
  #place(memory: OfferedMemory, bytes: Uint8Array, offset: number, length: number): number {
    const { target, use } = memory;
    const placed = this.#placed;
    // Others wait in slabs, and are read first.
    if (placed < this.readableBytes || (use.by !== undefined && use.by !== this)) return 0;
    const taken = Math.min(length, target.length - placed);
    if (taken === 0) return 0;
    copyBytes(bytes, offset, target, placed, taken);
    this.#placed = placed + taken;
    use.by = this;
    return taken;
  }

  /** The offered memory is the reader's again: what was put there moves to its slabs. */
  #withdraw(): void {
    const offered = this.#offered;
    this.#offered = undefined;
    if (this.#placed === 0) return;
    this.#write(this.#consumed, offered!.target, 0, this.#placed);
    this.#placed = 0;
    offered!.use.by = undefined;
  }

  /** `target` is going to be written to by its reader: how many bytes in it are to stay, since they are what is read next. */
  #takePlaced(target: Uint8Array): number {
    const placed = this.#placed;
    if (placed === 0 || this.#offered!.target !== target) {
      this.#withdraw();
      const other = memoryUse.get(target.buffer)?.by;
      if (other !== undefined) other.#withdraw();
      return 0;
    }
    this.#offered!.use.by = undefined;
    this.#offered = undefined;
    this.#placed = 0;
    this.#consume(placed);
    return placed;
  }

  /** `length` bytes have been read. */
  #consume(length: number): void {
    this.#consumed += length;
    this.#edge = Math.max(this.#edge, this.#consumed + this.#limit);
    while (this.#consumed >= slabStart(this.#firstSlab + 1)) this.#dropFirstSlab();
    if (this.readableBytes === 0) this.#releaseWhenIdle();
  }

  #dropFirstSlab(): void {
    const slab = this.#slabs.shift();
    this.#firstSlab++;
    if (slab !== undefined && !this.#firstIsShared) this.#pool.give(slab);
    this.#firstIsShared = false;
  }

  /**
   * All has been read: what comes next is written into other memory, so that a connection that waits holds none. One whose bytes the application has views of goes on with the rest of its
   * slab: each read would cost a new one. At its end it is nobody's: TIME-WAIT would keep it for a minute.
   */
  #releaseWhenIdle(): void {
    const isShared = this.#firstIsShared;
    if (this.#islands.length > 0 || (isShared && !this.complete)) return;
    this.#firstIsShared = false;
    const slabs = this.#slabs;
    for (let i = 0; i < slabs.length; i++) {
      const slab = slabs[i];
      slabs[i] = undefined;
      if (slab !== undefined && !isShared) this.#pool.give(slab);
    }
  }

  #passFin(): boolean {
    if (this.next !== this.finOffset) return false;
    this.next++;
    if (this.readableBytes === 0) this.#releaseWhenIdle();
    return true;
  }

  /** To their place. */
  #write(start: number, bytes: Uint8Array, offset: number, length: number): void {
    let index = slabOf(start);
    let inside = start - slabStart(index);
    while (length > 0) {
      const slab = this.#slab(index++);
      const taken = Math.min(length, slab.length - inside);
      copyBytes(bytes, offset, slab, inside, taken);
      inside = 0;
      offset += taken;
      length -= taken;
    }
  }

  #slab(index: number): Uint8Array {
    const at = index - this.#firstSlab;
    while (this.#slabs.length <= at) this.#slabs.push(undefined);
    return (this.#slabs[at] ??= this.#pool.take(slabSize(index)));
  }

  /** Out of order: only what nobody holds yet is written. */
  #keep(start: number, bytes: Uint8Array, offset: number, length: number): void {
    const islands = this.#islands;
    const end = start + length;
    let first = islands.length;
    while (first > 0 && islands[first - 1]!.end >= start) first--;
    let after = first;
    let missingFrom = start;
    for (let island = islands[after]; island !== undefined && island.start <= end; island = islands[++after]) {
      this.#fill(missingFrom, island.start, bytes, offset - start);
      missingFrom = island.end;
    }
    this.#fill(missingFrom, end, bytes, offset - start);
    if (after === first) {
      islands.splice(first, 0, { start, end });
      return;
    }
    const joined = islands[first]!;
    joined.start = Math.min(joined.start, start);
    joined.end = Math.max(islands[after - 1]!.end, end);
    if (after - first > 1) islands.splice(first + 1, after - first - 1);
  }

  /** Data offset d is byte `shift + d`. */
  #fill(start: number, end: number, bytes: Uint8Array, shift: number): void {
    if (end <= start) return;
    this.#write(start, bytes, shift + start, end - start);
    this.outOfOrderBytes += end - start;
  }

  #reachIslands(): void {
    const islands = this.#islands;
    for (let island = islands[0]; island !== undefined && island.start <= this.next; island = islands[0]) {
      this.outOfOrderBytes -= island.end - island.start;
      this.next = Math.max(this.next, island.end);
      islands.shift();
    }
  }
}

function slabSize(index: number): number {
  return index < doublings ? smallestSlab * 2 ** index : largestSlab;
}

function slabStart(index: number): number {
  return index < doublings ? smallestSlab * (2 ** index - 1) : evenFrom + (index - doublings) * largestSlab;
}

/** The slab of a data offset. */
function slabOf(offset: number): number {
  if (offset >= evenFrom) return doublings + Math.floor((offset - evenFrom) / largestSlab);
  return 31 - Math.clz32(offset / smallestSlab + 1);
}

function offeredMemoryOf(target: Uint8Array): OfferedMemory {
  let use = memoryUse.get(target.buffer);
  if (use === undefined) {
    use = { by: undefined };
    memoryUse.set(target.buffer, use);
  }
  return { target, use };
}

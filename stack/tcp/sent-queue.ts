/**
 * What a subflow has sent and the peer has not cumulatively acknowledged: the scoreboard of RFC 6675. Ranges stand in two orders, by position in
 * the stream and by time of the last transmission (RFC 8985 needs the second). Ranges are pooled: steady state allocates nothing.
 */

const emptyBuffer = new Uint8Array(0);

/** A contiguous piece of the subflow's stream, sent at once: one segment, or several by segmentation offload. */
export class SentRange {
  /** Offsets in the subflow's stream, the SYN being 0. */
  start = 0;
  end = 0;
  /** The range is the FIN: no payload. */
  fin = false;

  /**
   * The data sequence mapping with which the range was first sent (RFC 8684 §3.3.1). A part that is sent again declares the same mapping:
   * a receiver may hold the beginning already. Length 0: none.
   */
  mappingStart = 0;
  mappingDataStart = 0;
  mappingLength = 0;
  /** Of the mapping; -1: none. */
  mappingChecksum = -1;

  sentAt = 0;
  transmissions = 0;
  sacked = false;
  /** Declared lost and not sent again since. */
  lost = false;
  /** Its data were handed to other subflows. */
  reinjected = false;

  /** Payload: piece i is `lengths[i]` bytes of `buffers[i]` from `offsets[i]`. Mostly there is one: an array that was empty would make room for 17. */
  readonly buffers: Uint8Array[] = [emptyBuffer];
  readonly offsets: number[] = [0];
  readonly lengths: number[] = [0];
  pieceCount = 0;

  next: SentRange | undefined;
  previous: SentRange | undefined;
  nextSent: SentRange | undefined;
  previousSent: SentRange | undefined;
  inSentOrder = false;

  get length(): number {
    return this.end - this.start;
  }

  /** The data-level offset that position `offset` of the subflow carries. */
  dataOffsetAt(offset: number): number {
    return this.mappingDataStart + (offset - this.mappingStart);
  }

  get dataStart(): number {
    return this.dataOffsetAt(this.start);
  }

  get dataEnd(): number {
    return this.dataOffsetAt(this.end);
  }

  addPiece(buffer: Uint8Array, offset: number, length: number): void {
    const i = this.pieceCount++;
    this.buffers[i] = buffer;
    this.offsets[i] = offset;
    this.lengths[i] = length;
  }
}

const poolLimit = 32_768;
/** Ranges that nobody uses. All queues share them: a connection that has nothing under way holds none. */
const pool: SentRange[] = [];

export class SentQueue {
  head: SentRange | undefined;
  tail: SentRange | undefined;
  /** Oldest transmission that is neither selectively acknowledged nor declared lost. */
  sentHead: SentRange | undefined;
  #sentTail: SentRange | undefined;

  /** The range by which the byte at data offset `offset` was sent. */
  holding(offset: number): SentRange | undefined {
    for (let range = this.head; range !== undefined; range = range.next)
      if (!range.fin && range.dataStart <= offset && offset < range.dataEnd) return range;
    return undefined;
  }

  /** A fresh range at the end of the stream. */
  append(start: number, end: number): SentRange {
    const range = this.#take();
    range.start = start;
    range.end = end;
    range.previous = this.tail;
    if (this.tail === undefined) this.head = range;
    else this.tail.next = range;
    this.tail = range;
    return range;
  }

  /** The range was transmitted: it goes to the end of the order of time. */
  markSent(range: SentRange, now: number): void {
    this.leaveSentOrder(range);
    range.sentAt = now;
    range.transmissions++;
    range.inSentOrder = true;
    range.previousSent = this.#sentTail;
    if (this.#sentTail === undefined) this.sentHead = range;
    else this.#sentTail.nextSent = range;
    this.#sentTail = range;
  }

  /** The range counts as in flight again, as what was sent first. */
  returnToSentOrder(range: SentRange): void {
    if (range.inSentOrder) return;
    range.inSentOrder = true;
    range.nextSent = this.sentHead;
    if (this.sentHead === undefined) this.#sentTail = range;
    else this.sentHead.previousSent = range;
    this.sentHead = range;
  }

  leaveSentOrder(range: SentRange): void {
    if (!range.inSentOrder) return;
    if (range.previousSent === undefined) this.sentHead = range.nextSent;
    else range.previousSent.nextSent = range.nextSent;
    if (range.nextSent === undefined) this.#sentTail = range.previousSent;
    else range.nextSent.previousSent = range.previousSent;
    range.previousSent = undefined;
    range.nextSent = undefined;
    range.inSentOrder = false;
  }

  /** Cuts `range` in two at `at`, strictly inside; `range` keeps the first part. */
  split(range: SentRange, at: number): void {
    const rest = this.#take();
    rest.start = at;
    rest.end = range.end;
    rest.mappingStart = range.mappingStart;
    rest.mappingDataStart = range.mappingDataStart;
    rest.mappingLength = range.mappingLength;
    rest.mappingChecksum = range.mappingChecksum;
    rest.sentAt = range.sentAt;
    rest.transmissions = range.transmissions;
    rest.sacked = range.sacked;
    rest.lost = range.lost;
    rest.reinjected = range.reinjected;
    this.#movePieces(range, rest, at - range.start);
    range.end = at;

    rest.previous = range;
    rest.next = range.next;
    if (range.next === undefined) this.tail = rest;
    else range.next.previous = rest;
    range.next = rest;

    if (range.inSentOrder) {
      rest.inSentOrder = true;
      rest.previousSent = range;
      rest.nextSent = range.nextSent;
      if (range.nextSent === undefined) this.#sentTail = rest;
      else range.nextSent.previousSent = rest;
      range.nextSent = rest;
    }
  }

  removeHead(): void {
    const range = this.head!;
    this.leaveSentOrder(range);
    this.head = range.next;
    if (range.next === undefined) this.tail = undefined;
    else range.next.previous = undefined;
    this.#give(range);
  }

  clear(): void {
    while (this.head !== undefined) this.removeHead();
  }

  #movePieces(from: SentRange, to: SentRange, keep: number): void {
    let i = 0;
    let position = 0;
    while (i < from.pieceCount && position + from.lengths[i]! <= keep) position += from.lengths[i++]!;
    if (i < from.pieceCount && position < keep) {
      const inside = keep - position;
      to.addPiece(from.buffers[i]!, from.offsets[i]! + inside, from.lengths[i]! - inside);
      from.lengths[i] = inside;
      i++;
    }
    const keptPieces = i;
    for (; i < from.pieceCount; i++) to.addPiece(from.buffers[i]!, from.offsets[i]!, from.lengths[i]!);
    from.pieceCount = keptPieces;
  }

  #take(): SentRange {
    return pool.pop() ?? new SentRange();
  }

  #give(range: SentRange): void {
    range.fin = false;
    range.mappingStart = 0;
    range.mappingDataStart = 0;
    range.mappingLength = 0;
    range.mappingChecksum = -1;
    range.transmissions = 0;
    range.sacked = false;
    range.lost = false;
    range.reinjected = false;
    for (let i = 0; i < range.buffers.length; i++) range.buffers[i] = emptyBuffer;
    range.pieceCount = 0;
    range.next = undefined;
    range.previous = undefined;
    if (pool.length < poolLimit) pool.push(range);
  }
}

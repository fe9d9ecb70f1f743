/** Which of many things is due next: a binary heap of deadlines, corrected lazily when a deadline has moved. */

export interface DeadlineEntry {
  /** At which it stands in the heap. */
  deadline: number;
  /** The item's own, as of the last `update`; never earlier. */
  due: number;
}

interface Entry<T> extends DeadlineEntry {
  readonly item: T;
}

/** What can stand in a queue of deadlines, in one at a time. */
export interface Scheduled {
  /** The queue's: the one of the item's entries that counts. Others are left over from later deadlines. In the item itself, since it is asked for with each segment. */
  deadlineEntry?: DeadlineEntry | undefined;
}

/** So few entries are not worth clearing. */
const smallHeap = 64;

export class DeadlineQueue<T extends Scheduled> {
  #heap: Entry<T>[] = [];
  #size = 0;
  readonly #deadlineOf: (item: T) => number;

  /** `deadlineOf` tells an item's present deadline; it is asked in `update` only. */
  constructor(deadlineOf: (item: T) => number) {
    this.#deadlineOf = deadlineOf;
  }

  /** Items that have a deadline. */
  get size(): number {
    return this.#size;
  }

  /** To be called whenever the item's deadline may have changed. */
  update(item: T): void {
    const due = this.#deadlineOf(item);
    const entry = item.deadlineEntry;
    // A later deadline is found when the earlier entry comes up.
    if (entry !== undefined && entry.deadline <= due) entry.due = due;
    else if (entry !== undefined && this.#heap.length === 1) {
      // It is alone, and takes no second entry for an earlier deadline.
      entry.deadline = due;
      entry.due = due;
    } else if (due !== Number.POSITIVE_INFINITY) {
      if (entry === undefined) this.#size++;
      this.#push({ item, deadline: due, due });
    }
  }

  remove(item: T): void {
    this.#forget(item);
    // What was removed would be held until its deadline: connections that have ended, and what their timers refer to.
    if (this.#heap.length > smallHeap && this.#heap.length > 2 * this.#size) this.#clearLeftOver();
  }

  /** Entries in the heap, left-over ones among them. */
  get heldEntries(): number {
    return this.#heap.length;
  }

  /** The next deadline, `Infinity` for none. */
  get next(): number {
    for (let top = this.#heap[0]; top !== undefined; top = this.#heap[0]) {
      const counts = top.item.deadlineEntry === top;
      if (counts && top.due <= top.deadline) return top.deadline;
      this.#pop();
      if (!counts) continue;
      if (top.due === Number.POSITIVE_INFINITY) this.#forget(top.item);
      else {
        top.deadline = top.due;
        this.#push(top);
      }
    }
    return Number.POSITIVE_INFINITY;
  }

  /** An item that is due at `now`, taken out; undefined when none is. */
  takeDue(now: number): T | undefined {
    if (this.next > now) return undefined;
    const { item } = this.#pop();
    this.#forget(item);
    return item;
  }

  #forget(item: T): void {
    if (item.deadlineEntry === undefined) return;
    item.deadlineEntry = undefined;
    this.#size--;
  }

  #clearLeftOver(): void {
    const entries = this.#heap;
    this.#heap = [];
    for (const entry of entries) if (entry.item.deadlineEntry === entry) this.#push(entry);
  }

  #push(entry: Entry<T>): void {
    const heap = this.#heap;
    entry.item.deadlineEntry = entry;
    let at = heap.length;
    heap.push(entry);
    while (at > 0) {
      const parent = (at - 1) >> 1;
      if (heap[parent]!.deadline <= entry.deadline) break;
      heap[at] = heap[parent]!;
      at = parent;
    }
    heap[at] = entry;
  }

  #pop(): Entry<T> {
    const heap = this.#heap;
    const top = heap[0]!;
    const last = heap.pop()!;
    if (heap.length === 0) return top;
    let at = 0;
    for (;;) {
      let child = 2 * at + 1;
      if (child >= heap.length) break;
      if (child + 1 < heap.length && heap[child + 1]!.deadline < heap[child]!.deadline) child++;
      if (heap[child]!.deadline >= last.deadline) break;
      heap[at] = heap[child]!;
      at = child;
    }
    heap[at] = last;
    return top;
  }
}

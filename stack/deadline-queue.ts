/** Which of many things is due next: a binary heap of deadlines, corrected lazily when a deadline has moved. */

interface Entry<T> {
  deadline: number;
  item: T;
}

export class DeadlineQueue<T> {
  readonly #heap: Entry<T>[] = [];
  /** The earliest deadline at which the item stands in the heap. */
  readonly #queuedAt = new Map<T, number>();
  readonly #deadlineOf: (item: T) => number;

  /** `deadlineOf` tells an item's present deadline. */
  constructor(deadlineOf: (item: T) => number) {
    this.#deadlineOf = deadlineOf;
  }

  /** Items that have a deadline. */
  get size(): number {
    return this.#queuedAt.size;
  }

  /** The item's deadline may have changed. */
  update(item: T): void {
    const deadline = this.#deadlineOf(item);
    const queuedAt = this.#queuedAt.get(item);
    // A later deadline is found when the earlier entry comes up.
    if (deadline === Number.POSITIVE_INFINITY || (queuedAt !== undefined && queuedAt <= deadline)) return;
    this.#queuedAt.set(item, deadline);
    this.#push({ deadline, item });
  }

  remove(item: T): void {
    this.#queuedAt.delete(item);
  }

  /** The next deadline, `Infinity` for none. */
  get next(): number {
    for (let top = this.#heap[0]; top !== undefined; top = this.#heap[0]) {
      if (this.#queuedAt.get(top.item) === top.deadline) {
        const deadline = this.#deadlineOf(top.item);
        if (deadline <= top.deadline) return top.deadline;
        this.#pop();
        this.#queuedAt.delete(top.item);
        this.update(top.item);
      } else this.#pop();
    }
    return Number.POSITIVE_INFINITY;
  }

  /** An item that is due at `now`, taken out; undefined when none is. */
  takeDue(now: number): T | undefined {
    if (this.next > now) return undefined;
    const { item } = this.#pop();
    this.#queuedAt.delete(item);
    return item;
  }

  #push(entry: Entry<T>): void {
    const heap = this.#heap;
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

/** Who wants a turn, each once, in the order in which they asked. A Set would do, but makes a new table each time that it becomes empty: after every segment. */

/** So many are looked through faster than a Set answers. */
const few = 8;

export class TurnQueue<T> {
  readonly #items: (T | undefined)[] = [];
  #head = 0;
  #tail = 0;
  /** The same, when they are many. */
  readonly #members = new Set<T>();

  get size(): number {
    return this.#tail - this.#head;
  }

  add(item: T): void {
    if (this.#has(item)) return;
    this.#items[this.#tail++] = item;
    if (this.#members.size > 0) this.#members.add(item);
    else if (this.size > few) for (let at = this.#head; at < this.#tail; at++) this.#members.add(this.#items[at]!);
  }

  /** The first, taken out; it may ask again. undefined: nobody wants one. */
  take(): T | undefined {
    if (this.#head === this.#tail) return undefined;
    const item = this.#items[this.#head]!;
    this.#items[this.#head++] = undefined;
    if (this.#members.size > 0) this.#members.delete(item);
    if (this.#head === this.#tail) {
      this.#head = 0;
      this.#tail = 0;
    }
    return item;
  }

  #has(item: T): boolean {
    if (this.#members.size > 0) return this.#members.has(item);
    for (let at = this.#head; at < this.#tail; at++) if (this.#items[at] === item) return true;
    return false;
  }
}

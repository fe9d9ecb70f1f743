/** Data that were sent once but have to be sent again on another subflow, because theirs has died or is silent (RFC 8684 §3.3.6). */

export interface Reinjection {
  start: number;
  end: number;
  /** The subflow that still holds these data and will send them again itself; undefined when it is gone. */
  holder: number | undefined;
}

export class ReinjectionQueue {
  #entries: Reinjection[] = [];

  add(start: number, end: number, holder: number | undefined): void {
    if (start >= end) return;
    let at = this.#entries.length;
    while (at > 0 && this.#entries[at - 1]!.start > start) at--;
    const before = this.#entries[at - 1];
    if (before !== undefined && before.end >= start && before.holder === holder) {
      before.end = Math.max(before.end, end);
      return;
    }
    this.#entries.splice(at, 0, { start, end, holder });
  }

  /** The first entry that is not wholly before `acknowledged`. */
  first(acknowledged: number): Reinjection | undefined {
    for (let entry = this.#entries[0]; entry !== undefined; entry = this.#entries[0]) {
      if (entry.start < acknowledged) entry.start = acknowledged;
      if (entry.start < entry.end) return entry;
      this.#entries.shift();
    }
    return undefined;
  }

  /** The first `length` bytes of the first entry have been sent. */
  advance(length: number): void {
    const entry = this.#entries[0];
    if (entry === undefined) return;
    entry.start += length;
    if (entry.start >= entry.end) this.#entries.shift();
  }

  /** The subflow has been heard from again: it delivers what it holds. */
  withdraw(holder: number): void {
    this.#entries = this.#entries.filter((entry) => entry.holder !== holder);
  }

  /** The subflow is gone: what it held is held by nobody. */
  release(holder: number): void {
    for (const entry of this.#entries) if (entry.holder === holder) entry.holder = undefined;
  }

  clear(): void {
    this.#entries = [];
  }
}

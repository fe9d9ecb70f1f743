/** How many connections a host keeps in TIME-WAIT: beyond the limit the oldest is forgotten early, which risks what RFC 9293 §3.6.1 guards against, but bounds memory. */

export interface Lingering {
  /** Gone before its time. */
  expire(now: number): void;
}

export class TimeWaitLimit {
  readonly #limit: number;
  /** The oldest first. */
  readonly #lingering = new Set<Lingering>();

  constructor(limit: number) {
    this.#limit = limit;
  }

  get size(): number {
    return this.#lingering.size;
  }

  enter(connection: Lingering, now: number): void {
    this.#lingering.add(connection);
    if (this.#lingering.size <= this.#limit) return;
    for (const oldest of this.#lingering) {
      this.#lingering.delete(oldest);
      oldest.expire(now);
      return;
    }
  }

  leave(connection: Lingering): void {
    this.#lingering.delete(connection);
  }
}

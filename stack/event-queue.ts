import type { StackEvent } from "./events.ts";

/** Events that nobody takes do not pile up beyond this. */
const limit = 100_000;

/** What a host has to tell, until it is asked. */
export class EventQueue {
  #events: StackEvent[] = [];
  #taken = 0;

  add(event: StackEvent): void {
    if (this.#events.length < limit) this.#events.push(event);
  }

  take(): StackEvent | undefined {
    const event = this.#events[this.#taken];
    if (event !== undefined) this.#taken++;
    else if (this.#taken > 0) {
      this.#events = [];
      this.#taken = 0;
    }
    return event;
  }
}

import { DeadlineQueue, type Scheduled } from "./deadline-queue.ts";

/** An application's timer on the clock of its host, so that it runs where that clock is virtual as well. */
export interface Alarm extends Scheduled {
  /** When it rings; `Infinity`: it does not. */
  at: number;
  /** Told by `Host.deliverNotifications`, once. */
  readonly ring: () => void;
}

export class Alarms {
  readonly #waiting = new DeadlineQueue<Alarm>((alarm) => alarm.at);
  readonly #due = new Set<Alarm>();

  /** When the next is due, `Infinity` for never. */
  get next(): number {
    return this.#waiting.next;
  }

  /** Instead of when it would have rung; `Infinity`: not at all. */
  set(alarm: Alarm, at: number): void {
    alarm.at = at;
    this.#due.delete(alarm);
    if (at === Number.POSITIVE_INFINITY) this.#waiting.remove(alarm);
    else this.#waiting.update(alarm);
  }

  handleTimeout(now: number): void {
    for (let alarm = this.#waiting.takeDue(now); alarm !== undefined; alarm = this.#waiting.takeDue(now))
      this.#due.add(alarm);
  }

  /** Those that are due; whether there was one. */
  ring(): boolean {
    if (this.#due.size === 0) return false;
    for (const alarm of this.#due) {
      this.#due.delete(alarm);
      alarm.ring();
    }
    return true;
  }
}

/** The timers of one subflow: a fixed table of deadlines, and one minimum. */

import { AgendaEntry } from "./agenda.ts";

export const timer = {
  /** SYN, SYN/ACK, data and FIN (RFC 6298). */
  retransmission: 0,
  /** Tail loss probe (RFC 8985 §7). */
  lossProbe: 1,
  /** Reordering window of RACK (RFC 8985 §6.2). */
  reordering: 2,
  /** RFC 9293 §3.8.6.3. */
  delayedAck: 3,
  /** TIME-WAIT, and FIN-WAIT-2 of an orphan. */
  linger: 4,
  /** RFC 9293 §3.8.4. */
  keepAlive: 5,
  /** The next burst of paced data (RFC 9002 §7.7). */
  pacing: 6,
} as const;
export type TimerName = (typeof timer)[keyof typeof timer];

const timerCount = 7;

export class TimerTable {
  readonly #deadlines = new Float64Array(timerCount).fill(Number.POSITIVE_INFINITY);
  /** Has the least of them, which is asked for far more often than it changes. */
  readonly #agenda: AgendaEntry;

  constructor(agenda: AgendaEntry = new AgendaEntry()) {
    this.#agenda = agenda;
  }

  set(name: TimerName, deadline: number): void {
    const agenda = this.#agenda;
    const next = agenda.timeout;
    if (deadline <= next) agenda.timeout = deadline;
    else if (this.#deadlines[name] === next) agenda.timeout = Number.NaN;
    this.#deadlines[name] = deadline;
  }

  stop(name: TimerName): void {
    this.set(name, Number.POSITIVE_INFINITY);
  }

  stopAll(): void {
    this.#deadlines.fill(Number.POSITIVE_INFINITY);
    this.#agenda.timeout = Number.POSITIVE_INFINITY;
  }

  isSet(name: TimerName): boolean {
    return this.#deadlines[name] !== Number.POSITIVE_INFINITY;
  }

  deadline(name: TimerName): number {
    return this.#deadlines[name]!;
  }

  /** True once for each time that the timer was set and its deadline has come. */
  expire(name: TimerName, now: number): boolean {
    if (this.#deadlines[name]! > now) return false;
    this.stop(name);
    return true;
  }

  get next(): number {
    let next = this.#agenda.timeout;
    if (Number.isNaN(next)) {
      next = Number.POSITIVE_INFINITY;
      for (let i = 0; i < timerCount; i++) if (this.#deadlines[i]! < next) next = this.#deadlines[i]!;
      this.#agenda.timeout = next;
    }
    return next;
  }
}

/** Is the peer still there? Keep-alive (RFC 9293 §3.8.4) while nothing is outstanding, the user timeout (RFC 5482 §3.1) while something is. */

import type { KeepAliveOptions, TcpOptions } from "./tcp-options.ts";
import { timer, type TimerTable } from "./timers.ts";
import { UserTimeout } from "./user-timeout.ts";

export class Liveness {
  readonly userTimeout: UserTimeout;
  readonly #timers: TimerTable;
  #keepAlive: KeepAliveOptions | undefined;
  #heardAt = 0;
  #probes = 0;
  /** When the first of the present run of timeouts came; 0: the peer answers. */
  #silentSince = 0;

  constructor(options: TcpOptions, timers: TimerTable) {
    this.#timers = timers;
    this.#keepAlive = options.keepAlive;
    this.userTimeout = new UserTimeout(options);
  }

  /** When an acceptable segment last came. */
  get heardAt(): number {
    return this.#heardAt;
  }

  /** `begun`: the connection is established. */
  setKeepAlive(keepAlive: KeepAliveOptions | undefined, begun: boolean, now: number): void {
    this.#keepAlive = keepAlive;
    this.#probes = 0;
    if (keepAlive === undefined) this.#timers.stop(timer.keepAlive);
    else if (begun) this.#timers.set(timer.keepAlive, Math.max(now, this.#heardAt + keepAlive.idleMicroseconds));
  }

  /** The connection is established. */
  begin(now: number): void {
    this.#heardAt = now;
    if (this.#keepAlive !== undefined) this.#timers.set(timer.keepAlive, now + this.#keepAlive.idleMicroseconds);
  }

  /** An acceptable segment came. */
  noteHeard(now: number): void {
    this.#heardAt = now;
    this.#probes = 0;
  }

  /** Something new was acknowledged. */
  noteProgress(): void {
    this.#silentSince = 0;
  }

  /** The retransmission timer has expired. True: the user's patience is over. */
  isOverdue(now: number): boolean {
    if (this.#silentSince === 0) this.#silentSince = now;
    return now - this.#silentSince > this.userTimeout.microseconds;
  }

  /** The keep-alive timer has expired: what to do, and the timer is set again. */
  onKeepAliveTimeout(outstanding: boolean, now: number): "wait" | "probe" | "give-up" {
    const { idleMicroseconds, intervalMicroseconds, probes } = this.#keepAlive!;
    const due = this.#heardAt + idleMicroseconds;
    if (outstanding || now < due) {
      this.#timers.set(timer.keepAlive, Math.max(due, now + intervalMicroseconds));
      return "wait";
    }
    if (this.#probes >= probes) return "give-up";
    this.#probes++;
    this.#timers.set(timer.keepAlive, now + intervalMicroseconds);
    return "probe";
  }
}

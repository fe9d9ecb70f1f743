/** How long data may stay unacknowledged, and what the two sides tell each other of it (RFC 5482). */

import type { TcpOptions } from "./tcp-options.ts";

/** R2 of RFC 9293 §3.8.3: at least 100 s. */
const defaultUserTimeout = 120_000_000;
/** L_LIMIT and U_LIMIT (RFC 5482 §3.1): not less than R2, and not for ever. */
const defaultLowerLimit = 100_000_000;
const defaultUpperLimit = 3_600_000_000;

export class UserTimeout {
  /** USER_TIMEOUT. */
  microseconds: number;
  /** The peer is to be told (again): on the next segment without SYN that has room (RFC 5482 §3.2). */
  due: boolean;
  /** ADV_UTO. */
  #advertised: number;
  /** Cleared when the application has said what it wants. */
  #changeable: boolean;
  readonly #enabled: boolean;
  readonly #lowerLimit: number;
  readonly #upperLimit: number;

  constructor({ userTimeoutMicroseconds, userTimeoutOption }: TcpOptions) {
    this.microseconds = userTimeoutMicroseconds ?? defaultUserTimeout;
    this.#advertised = this.microseconds;
    this.#changeable = userTimeoutMicroseconds === undefined;
    this.#enabled = userTimeoutOption !== undefined;
    this.due = this.#enabled;
    this.#lowerLimit = userTimeoutOption?.lowerLimitMicroseconds ?? defaultLowerLimit;
    this.#upperLimit = userTimeoutOption?.upperLimitMicroseconds ?? defaultUpperLimit;
  }

  /** What the option says; 0: it is not sent. */
  get secondsToTell(): number {
    return this.#enabled ? Math.ceil(this.#advertised / 1_000_000) : 0;
  }

  /** By the application: what the peer would like does not count any more. */
  set(microseconds: number): void {
    this.microseconds = microseconds;
    this.#advertised = microseconds;
    this.#changeable = false;
    this.due = this.#enabled;
  }

  /** The peer's wish, REMOTE_UTO. It may ask for patience within limits, and never makes us less patient than we had told to be (RFC 5482 §3.1). */
  adopt(seconds: number): void {
    if (!this.#enabled || !this.#changeable) return;
    const wished = Math.max(this.#advertised, seconds * 1_000_000, this.#lowerLimit);
    this.microseconds = Math.min(this.#upperLimit, wished);
  }
}

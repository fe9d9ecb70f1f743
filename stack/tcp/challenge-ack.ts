/**
 * How many challenge acknowledgements are sent (RFC 5961 §7), so that two hosts cannot keep each other busy with them, nor a third make this one work for nothing.
 *
 * Each connection has its own allowance, which no other can use up. The bound of all together must not be a number that can be counted: with a fixed one, who is
 * not on the path could spend it but for one, provoke a challenge of somebody else's connection, and read from what is left whether the guess was right (Cao et al.,
 * "Off-Path TCP Exploits", USENIX Security 2016). So the bound of each second is drawn anew, over a wide range.
 */

const connectionLimit = 10;
const leastHostLimit = 500;
const hostLimitRange = 1_000;
const intervalMicroseconds = 1_000_000;

/** Of all connections of a host. */
export class HostChallengeLimit {
  readonly #random: () => number;
  #interval = -1;
  #left = 0;

  /** `random`: uniform unsigned 32-bit numbers. */
  constructor(random: () => number) {
    this.#random = random;
  }

  allow(now: number): boolean {
    const interval = Math.floor(now / intervalMicroseconds);
    if (interval !== this.#interval) {
      this.#interval = interval;
      this.#left = leastHostLimit + ((this.#random() >>> 0) % hostLimitRange);
    }
    return this.#left-- > 0;
  }
}

/** Of one connection. */
export class ChallengeAckLimit {
  readonly #host: HostChallengeLimit;
  #interval = -1;
  #left = 0;

  constructor(host: HostChallengeLimit) {
    this.#host = host;
  }

  allow(now: number): boolean {
    const interval = Math.floor(now / intervalMicroseconds);
    if (interval !== this.#interval) {
      this.#interval = interval;
      this.#left = connectionLimit;
    }
    return this.#left-- > 0 && this.#host.allow(now);
  }
}

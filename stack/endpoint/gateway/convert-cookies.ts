/**
 * Cookies of a converter (RFC 8803 §6.2.7): who has one can receive what is sent to its address. Nothing is kept for a client: a cookie is a MAC of its address, with a key
 * that nobody else knows and that changes, as in TCP Fast Open (RFC 7413 §4.1.2).
 */
import { createHmac, randomBytes, timingSafeEqual } from "node:crypto";

const cookieBytes = 16;
/** A cookie of the key before is still good. */
const keyLifeMilliseconds = 3_600_000;

export class ConvertCookies {
  readonly #now: () => number;
  #key: Buffer = randomBytes(32);
  #formerKey: Buffer = this.#key;
  #since: number;

  /** @param now milliseconds, never going back */
  constructor(now: () => number = () => performance.now()) {
    this.#now = now;
    this.#since = now();
  }

  /** For a client at `address`. */
  issue(address: string): Uint8Array {
    this.#turn();
    return cookieOf(this.#key, address);
  }

  isValid(cookie: Uint8Array, address: string): boolean {
    this.#turn();
    return [this.#key, this.#formerKey].some(
      (key) => cookie.length === cookieBytes && timingSafeEqual(cookie, cookieOf(key, address)),
    );
  }

  #turn(): void {
    const age = this.#now() - this.#since;
    if (age < keyLifeMilliseconds) return;
    this.#formerKey = age < 2 * keyLifeMilliseconds ? this.#key : randomBytes(32);
    this.#key = randomBytes(32);
    this.#since = this.#now();
  }
}

function cookieOf(key: Buffer, address: string): Buffer {
  return createHmac("sha256", key).update(address).digest().subarray(0, cookieBytes);
}

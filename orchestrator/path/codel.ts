import type { QueueManagement } from "./queue-management.ts";

/** RFC 8289 §4.2: a queue of one packet is never too long. */
const maximumPacketBytes = 1514;

/**
 * Controlled delay (RFC 8289): when no packet has waited less than the target for a whole interval, one is dropped, and then another ever sooner, by the square
 * root of their number, until one has waited less. Names are those of the pseudocode in §5.
 */
export class CoDel implements QueueManagement {
  readonly #target: number;
  readonly #interval: number;
  #firstAboveTime = 0;
  #dropNext = 0;
  #count = 0;
  #lastCount = 0;
  #dropping = false;
  /** One was dropped for its time: the next time is set when the packet after it turns out to have waited too long as well. */
  #hasDropped = false;

  constructor(targetMicroseconds: number, intervalMicroseconds: number) {
    this.#target = targetMicroseconds;
    this.#interval = intervalMicroseconds;
  }

  dropsArrival(): boolean {
    return false;
  }

  dropsDeparture(queueBytes: number, waitedMicroseconds: number, now: number): boolean {
    const okToDrop = this.#isTooLong(queueBytes, waitedMicroseconds, now);
    const hasDropped = this.#hasDropped;
    this.#hasDropped = false;
    if (!okToDrop) {
      this.#dropping = false;
      return false;
    }
    if (this.#dropping) {
      if (hasDropped) this.#dropNext = this.#controlLaw(this.#dropNext);
      if (now < this.#dropNext) return false;
      this.#count++;
      this.#hasDropped = true;
      return true;
    }
    this.#dropping = true;
    // Soon after the last time the rate at which it dropped then is the one to go on with.
    const delta = this.#count - this.#lastCount;
    this.#count = delta > 1 && now - this.#dropNext < 16 * this.#interval ? delta : 1;
    this.#dropNext = this.#controlLaw(now);
    this.#lastCount = this.#count;
    return true;
  }

  /** `dodequeue` of §5.5. */
  #isTooLong(queueBytes: number, waited: number, now: number): boolean {
    if (waited < this.#target || queueBytes <= maximumPacketBytes) {
      this.#firstAboveTime = 0;
      return false;
    }
    if (this.#firstAboveTime === 0) {
      this.#firstAboveTime = now + this.#interval;
      return false;
    }
    return now >= this.#firstAboveTime;
  }

  #controlLaw(time: number): number {
    return time + this.#interval / Math.sqrt(this.#count);
  }
}

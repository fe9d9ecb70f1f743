import type { QueueManagement } from "./queue-management.ts";
import type { RandomStream } from "./random.ts";

/** A packet of this size is what the average falls by while nothing comes, once for each that could have been sent. */
const typicalPacketBytes = 1000;

export interface RedParameters {
  /** Below this average nothing is dropped … */
  readonly leastBytes: number;
  /** … above this one everything … */
  readonly mostBytes: number;
  /** … and just below it this share. */
  readonly probability: number;
  /** Of the present length in the average: w_q. */
  readonly weight: number;
}

/** Random early detection (Floyd and Jacobson, 1993), in bytes: drops ever more of what comes, the longer the queue is on average. Names are those of the paper. */
export class Red implements QueueManagement {
  readonly #parameters: RedParameters;
  readonly #random: RandomStream;
  readonly #packetMicroseconds: number;
  #average = 0;
  /** Packets since the last that was dropped; -1 while the average is short. */
  #count = -1;
  #idleSince = 0;
  #isIdle = true;

  /** @param rateBitsPerSecond by which the average falls while the queue is idle */
  constructor(parameters: RedParameters, rateBitsPerSecond: number, random: RandomStream) {
    this.#parameters = parameters;
    this.#random = random;
    this.#packetMicroseconds = (typicalPacketBytes * 8e6) / rateBitsPerSecond;
  }

  dropsArrival(queueBytes: number, now: number): boolean {
    const { leastBytes, mostBytes, probability, weight } = this.#parameters;
    if (queueBytes > 0 || !this.#isIdle) this.#average += weight * (queueBytes - this.#average);
    else this.#average *= (1 - weight) ** ((now - this.#idleSince) / this.#packetMicroseconds);
    this.#isIdle = false;
    if (this.#average < leastBytes) {
      this.#count = -1;
      return false;
    }
    if (this.#average >= mostBytes) {
      this.#count = 0;
      return true;
    }
    this.#count++;
    const share = (probability * (this.#average - leastBytes)) / (mostBytes - leastBytes);
    // Spread evenly: the gaps between drops are uniform, not geometric.
    const left = 1 - this.#count * share;
    if (left > 0 && this.#random.uniform() >= share / left) return false;
    this.#count = 0;
    return true;
  }

  dropsDeparture(queueBytes: number, _waitedMicroseconds: number, now: number): boolean {
    if (queueBytes === 0) {
      this.#isIdle = true;
      this.#idleSince = now;
    }
    return false;
  }
}

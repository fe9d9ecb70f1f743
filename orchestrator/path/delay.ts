import { sampleJitter, type JitterParameters } from "./jitter.ts";
import type { Deliver, PathElement, PathPacket } from "./path-element.ts";
import type { RandomStream } from "./random.ts";
import { ReleaseHeap } from "./release-heap.ts";

/**
 * Propagation: each packet leaves a delay after it came. With jitter the delay of each is drawn anew (never below 0);
 * packets overtake each other only if the jitter says so. A shorter delay set on the way does not reorder either.
 */
export class Delay<Packet extends PathPacket> implements PathElement<Packet> {
  readonly #random: RandomStream;
  readonly #deliver: Deliver<Packet>;
  readonly #held = new ReleaseHeap<Packet>();
  #delayMicroseconds: number;
  #jitter: JitterParameters | undefined;
  #lastRelease = -Infinity;

  constructor(
    delayMicroseconds: number,
    jitter: JitterParameters | undefined,
    random: RandomStream,
    deliver: Deliver<Packet>,
  ) {
    this.#delayMicroseconds = delayMicroseconds;
    this.#jitter = jitter;
    this.#random = random;
    this.#deliver = deliver;
  }

  get heldPackets(): number {
    return this.#held.length;
  }

  /** No packet that comes now leaves earlier than this after it came. */
  get leastMicroseconds(): number {
    return this.#jitter === undefined ? this.#delayMicroseconds : 0;
  }

  /** For packets that come from now on. */
  configure(delayMicroseconds: number, jitter: JitterParameters | undefined): void {
    this.#delayMicroseconds = delayMicroseconds;
    this.#jitter = jitter;
  }

  push(packet: Packet, now: number): void {
    const jitter = this.#jitter;
    const deviation = jitter === undefined ? 0 : sampleJitter(jitter, this.#random);
    let release = now + Math.max(0, this.#delayMicroseconds + deviation);
    if (!jitter?.reorder) release = Math.max(release, this.#lastRelease);
    this.#lastRelease = Math.max(release, this.#lastRelease);
    this.#held.push(packet, release);
  }

  nextTime(): number {
    return this.#held.firstTime;
  }

  advance(now: number): void {
    while (this.#held.firstTime <= now) {
      const time = this.#held.firstTime;
      this.#deliver(this.#held.shift()!, time);
    }
  }
}

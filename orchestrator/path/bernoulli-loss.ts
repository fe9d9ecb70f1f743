import type { Deliver, Drop, PathElement, PathPacket } from "./path-element.ts";
import type { RandomStream } from "./random.ts";

/** Loses each packet with the same probability, independently of all others. */
export class BernoulliLoss<Packet extends PathPacket> implements PathElement<Packet> {
  readonly heldPackets = 0;
  readonly #probability: number;
  readonly #random: RandomStream;
  readonly #deliver: Deliver<Packet>;
  readonly #drop: Drop<Packet>;

  constructor(probability: number, random: RandomStream, deliver: Deliver<Packet>, drop: Drop<Packet>) {
    this.#probability = probability;
    this.#random = random;
    this.#deliver = deliver;
    this.#drop = drop;
  }

  push(packet: Packet, now: number): void {
    if (this.#random.uniform() < this.#probability) this.#drop(packet, "loss", now);
    else this.#deliver(packet, now);
  }

  nextTime(): number {
    return Infinity;
  }

  advance(): void {}
}

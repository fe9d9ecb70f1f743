import type { Deliver, Drop, PathElement, PathPacket } from "./path-element.ts";

/** Loses the packets that it was told to, and no other: a failing run with its losses by name can be made smaller one loss at a time. */
export class ListedLoss<Packet extends PathPacket> implements PathElement<Packet> {
  readonly heldPackets = 0;
  readonly #lost: ReadonlySet<number>;
  readonly #deliver: Deliver<Packet>;
  readonly #drop: Drop<Packet>;
  #number: number;

  /**
   * @param lost the numbers of the packets that are lost
   * @param before packets that came before this element was there: the next is number before + 1
   */
  constructor(lost: readonly number[], before: number, deliver: Deliver<Packet>, drop: Drop<Packet>) {
    this.#lost = new Set(lost);
    this.#number = before;
    this.#deliver = deliver;
    this.#drop = drop;
  }

  push(packet: Packet, now: number): void {
    if (this.#lost.has(++this.#number)) this.#drop(packet, "loss", now);
    else this.#deliver(packet, now);
  }

  nextTime(): number {
    return Infinity;
  }

  advance(): void {}
}

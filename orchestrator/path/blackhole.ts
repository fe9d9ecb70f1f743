import type { Deliver, Drop, PathElement, PathPacket } from "./path-element.ts";

/** A switch: while it is on, everything that comes vanishes without a sign; what is already on its way arrives. */
export class Blackhole<Packet extends PathPacket> implements PathElement<Packet> {
  isOn = false;
  readonly heldPackets = 0;
  readonly #deliver: Deliver<Packet>;
  readonly #drop: Drop<Packet>;

  constructor(deliver: Deliver<Packet>, drop: Drop<Packet>) {
    this.#deliver = deliver;
    this.#drop = drop;
  }

  push(packet: Packet, now: number): void {
    if (this.isOn) this.#drop(packet, "blackhole", now);
    else this.#deliver(packet, now);
  }

  nextTime(): number {
    return Infinity;
  }

  advance(): void {}
}

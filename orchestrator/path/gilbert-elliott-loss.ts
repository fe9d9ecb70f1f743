import type { Deliver, Drop, PathElement, PathPacket } from "./path-element.ts";
import type { RandomStream } from "./random.ts";

export type GilbertElliottParameters = { pGoodToBad: number; pBadToGood: number; lossGood: number; lossBad: number };

/** Share of packets that this model loses in the long run. */
export function gilbertElliottLossRate(parameters: GilbertElliottParameters): number {
  const { pGoodToBad, pBadToGood, lossGood, lossBad } = parameters;
  const bad = pGoodToBad === 0 ? 0 : pGoodToBad / (pGoodToBad + pBadToGood);
  return bad * lossBad + (1 - bad) * lossGood;
}

/**
 * Loss in bursts (Gilbert 1960, Elliott 1963): a Markov chain of a good and a bad state, each with a loss probability
 * of its own. Each packet first moves the chain, then meets the state's loss. Begins in the good state. Always two
 * draws a packet, so that parameters can change without shifting the stream.
 */
export class GilbertElliottLoss<Packet extends PathPacket> implements PathElement<Packet> {
  readonly heldPackets = 0;
  readonly #parameters: GilbertElliottParameters;
  readonly #random: RandomStream;
  readonly #deliver: Deliver<Packet>;
  readonly #drop: Drop<Packet>;
  #bad = false;

  constructor(
    parameters: GilbertElliottParameters,
    random: RandomStream,
    deliver: Deliver<Packet>,
    drop: Drop<Packet>,
  ) {
    this.#parameters = parameters;
    this.#random = random;
    this.#deliver = deliver;
    this.#drop = drop;
  }

  push(packet: Packet, now: number): void {
    const { pGoodToBad, pBadToGood, lossGood, lossBad } = this.#parameters;
    if (this.#random.uniform() < (this.#bad ? pBadToGood : pGoodToBad)) this.#bad = !this.#bad;
    if (this.#random.uniform() < (this.#bad ? lossBad : lossGood)) this.#drop(packet, "loss", now);
    else this.#deliver(packet, now);
  }

  nextTime(): number {
    return Infinity;
  }

  advance(): void {}
}

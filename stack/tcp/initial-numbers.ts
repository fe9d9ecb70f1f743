/** Where the sequence numbers and timestamps of a connection begin (RFC 6528 §3; RFC 7323 §5.4). One for a host; nobody outside knows its keys. */

import { type SequenceNumber, sequenceNumber } from "../wire/sequence.ts";
import { type FourTuple, hashTuple } from "./four-tuple.ts";
import { randomSipKey, type SipKey } from "./siphash.ts";

/** One tick of the clock of RFC 9293 §3.4.1. */
const tickMicroseconds = 4;

export class InitialNumbers {
  readonly #sequenceKey: SipKey;
  readonly #timestampKey: SipKey;

  /** `random`: uniform unsigned 32-bit numbers. */
  constructor(random: () => number) {
    this.#sequenceKey = randomSipKey(random);
    this.#timestampKey = randomSipKey(random);
  }

  /** ISN = M + F(local, remote, secret): a later connection of the same name begins above an earlier one, and tells nothing of others. */
  sequence(tuple: FourTuple, now: number): SequenceNumber {
    return sequenceNumber(Math.floor(now / tickMicroseconds) + hashTuple(this.#sequenceKey, tuple).low);
  }

  /** The same for each connection of that name, so that their timestamps rise from one to the next (RFC 6191 §2) and tell nobody how long the host is up. */
  timestampOffset(tuple: FourTuple): number {
    return hashTuple(this.#timestampKey, tuple).low;
  }
}

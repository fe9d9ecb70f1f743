/** A NAT that forgets: after `rebind` the client's segments come from another port, and what comes for the old one reaches nobody. */

import type { Middlebox } from "../network.ts";
import { rewriteChecksum, segmentOf, tcpStart } from "../wire-tap.ts";

export class RebindableNat {
  #shift: number;

  constructor(portShift: number) {
    this.#shift = portShift;
  }

  rebind(): void {
    this.#shift += 7;
  }

  readonly up: Middlebox = (frame) => this.#translate(frame, tcpStart, this.#shift);
  readonly down: Middlebox = (frame) => this.#translate(frame, tcpStart + 2, -this.#shift);

  #translate(frame: Uint8Array, portAt: number, shift: number): boolean {
    if (shift === 0 || segmentOf(frame) === undefined) return true;
    const port = (((frame[portAt]! << 8) | frame[portAt + 1]!) + shift) & 0xffff;
    frame[portAt] = port >> 8;
    frame[portAt + 1] = port & 255;
    rewriteChecksum(frame);
    return true;
  }
}

import { createHash } from "node:crypto";
import { expect } from "chai";
import fc from "fast-check";
import { StreamHash } from "./stream-hash.ts";

/** As a socket does that reads into the hash's memory. */
function receive(hash: StreamHash, bytes: Uint8Array): void {
  for (let at = 0; at < bytes.length;) {
    const room = hash.room();
    const taken = bytes.subarray(at, at + room.length);
    room.set(taken);
    hash.received(taken.length);
    at += taken.length;
  }
}

describe("the hash of a stream", () => {
  it("is that of its bytes, however they are cut, in one memory or in several, in order or not, handed over or put into its own", () => {
    const memories = [new Uint8Array(200_000), new Uint8Array(3_000)].map((memory, m) =>
      memory.map((_, i) => (i * 31 + (i >> 8) + m) & 255),
    );
    const cut = fc.record({ memory: fc.nat(1), jump: fc.nat(5), length: fc.nat(40_000), intoRoom: fc.boolean() });
    fc.assert(
      fc.property(fc.array(cut, { maxLength: 30 }), (cuts) => {
        const hash = new StreamHash();
        const whole = createHash("sha256");
        const ends = [0, 0];
        for (const { memory, jump, length, intoRoom } of cuts) {
          // Mostly right behind the chunk before.
          const bytes = memories[memory]!;
          const start = jump === 5 ? 0 : ends[memory]!;
          const chunk = bytes.subarray(start, start + length);
          ends[memory] = (start + chunk.length) % bytes.length;
          if (intoRoom) receive(hash, chunk);
          else hash.update(chunk);
          whole.update(chunk);
        }
        expect(hash.digest()).to.equal(whole.digest("hex"));
      }),
    );
  });
});

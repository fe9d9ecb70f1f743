import { expect } from "chai";
import { type SipKey, sipHash } from "./siphash.ts";

/** The key 00 01 … 0f and the messages 00 01 … of the authors' test vectors. */
const key: SipKey = [0x03020100, 0x07060504, 0x0b0a0908, 0x0f0e0d0c];

describe("SipHash-2-4", () => {
  it("gives the authors' test vectors of 0, 4 and 8 octets", () => {
    expect(sipHash(key)).to.deep.equal({ high: 0x726fdb47, low: 0xdd0e0e31 });
    expect(sipHash(key, 0x03020100)).to.deep.equal({ high: 0xcf2794e0, low: 0x277187b7 });
    expect(sipHash(key, 0x03020100, 0x07060504)).to.deep.equal({ high: 0x93f5f579, low: 0x9a932462 });
  });

  it("differs with any bit of key or message", () => {
    const seen = new Set<number>([sipHash(key, 1, 2, 3).low]);
    for (let bit = 0; bit < 32; bit++) {
      seen.add(sipHash(key, 1 ^ (1 << bit), 2, 3).low);
      seen.add(sipHash(key, 1, 2, 3 ^ (1 << bit)).low);
      seen.add(sipHash([(key[0] ^ (1 << bit)) >>> 0, key[1], key[2], key[3]], 1, 2, 3).low);
    }
    expect(seen.size).to.equal(97);
  });
});

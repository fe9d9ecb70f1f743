import { expect } from "chai";
import fc from "fast-check";
import { addHigh, addLow, sequenceNumber, unwrap32, unwrap64, unwrapSequence, wrapOffset } from "./sequence.ts";

const word = fc.integer({ min: 0, max: 0xffff_ffff });
const offset = fc.integer({ min: 0, max: 2 ** 52 });
const near = fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 });

describe("sequence numbers", () => {
  it("unwrap to the offset that they were made from, across any number of wraps", () => {
    fc.assert(
      fc.property(word, offset, near, (initial, value, distance) => {
        const base = sequenceNumber(initial);
        expect(unwrapSequence(wrapOffset(base, value), base, value - distance)).to.equal(value);
      }),
    );
  });

  it("of 64 bits agree with big integers and unwrap from 8 and from 4 octets", () => {
    fc.assert(
      fc.property(word, word, offset, near, (high, low, value, distance) => {
        const base = { high, low };
        const expected = BigInt.asUintN(64, (BigInt(high) << 32n) + BigInt(low) + BigInt(value));
        expect((BigInt(addHigh(base, value)) << 32n) + BigInt(addLow(base, value))).to.equal(expected);
        expect(unwrap64(addHigh(base, value), addLow(base, value), base)).to.equal(value);
        expect(unwrap32(addLow(base, value), base, value - distance)).to.equal(value);
      }),
    );
  });

  it("of 64 bits that no honest peer sends are no number", () => {
    expect(unwrap64(0x7fff_ffff, 0, { high: 0, low: 0 })).to.be.NaN;
  });
});

import { expect } from "chai";
import fc from "fast-check";
import { copyBytes } from "./copy-bytes.ts";

describe("Copying a range of bytes", () => {
  it("writes what a view would, and nothing beside it", () => {
    const range = fc
      .record({
        source: fc.uint8Array({ maxLength: 64 }),
        target: fc.uint8Array({ maxLength: 64 }),
        from: fc.nat(64),
        to: fc.nat(64),
        length: fc.nat(64),
      })
      .filter(({ source, target, from, to, length }) => from + length <= source.length && to + length <= target.length);
    fc.assert(
      fc.property(range, ({ source, target, from, to, length }) => {
        const expected = target.slice();
        expected.set(source.subarray(from, from + length), to);
        copyBytes(source, from, target, to, length);
        expect([...target]).to.deep.equal([...expected]);
      }),
      { numRuns: 300 },
    );
  });
});

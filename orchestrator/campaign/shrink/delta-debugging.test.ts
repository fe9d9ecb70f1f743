import { expect } from "chai";
import * as fc from "fast-check";
import { minimise } from "./delta-debugging.ts";

const parts = Array.from({ length: 100 }, (_, index) => index);

describe("minimising a list that fails", () => {
  it("keeps exactly the parts without which it does not fail", async () => {
    await fc.assert(
      fc.asyncProperty(fc.uniqueArray(fc.integer({ min: 0, max: 99 }), { maxLength: 8 }), async (needed) => {
        const kept = await minimise(parts, async (some) => needed.every((part) => some.includes(part)));
        expect(kept).to.deep.equal(needed.toSorted((a, b) => a - b));
      }),
    );
  });

  it("ends with one of which no part can be left out, where one of several would do", async () => {
    const fails = async (some: readonly number[]): Promise<boolean> =>
      some.filter((part) => part % 7 === 0).length >= 3;
    const kept = await minimise(parts, fails);
    expect(kept).to.have.length(3);
    expect(kept.every((part) => part % 7 === 0)).to.equal(true);
  });

  it("takes few tests where one part of many matters", async () => {
    let tests = 0;
    const kept = await minimise(parts, async (some) => {
      tests++;
      return some.includes(61);
    });
    expect(kept).to.deep.equal([61]);
    expect(tests).to.be.at.most(20);
  });

  it("finds that nothing of it is needed with one test", async () => {
    let tests = 0;
    expect(await minimise(parts, async () => ++tests > 0)).to.deep.equal([]);
    expect(tests).to.equal(1);
  });
});

import { expect } from "chai";
import { goodputOf } from "./goodput.ts";

describe("a goodput", () => {
  it("is what came, over the time from the opening to the last byte", () => {
    expect(goodputOf(1_000_000, 1_000_000, 2_000_000)).to.equal(8e6);
  });

  it("is that of a microsecond where the bytes came with the opening", () => {
    expect(goodputOf(1, 6_344_902, 6_344_902)).to.equal(8e6);
  });

  it("is unknown where nothing came, or nobody saw the opening or the end", () => {
    for (const [bytes, from, to] of [
      [0, 1, 2],
      [1, undefined, 2],
      [1, 1, undefined],
      [1, Infinity, 2],
      [1, 1, -Infinity],
    ] as const)
      expect(goodputOf(bytes, from, to)).to.equal(undefined);
  });
});

import { expect } from "chai";
import { derivedSeed } from "./derived-seed.ts";

describe("derived seeds", () => {
  it("never change: bundles of old are replayed with them", () => {
    expect([
      derivedSeed(1, "link", "wifi", "forward"),
      derivedSeed(1, "link", "wifi", "backward"),
      derivedSeed(2, "payload", "download"),
    ]).to.deep.equal([1158554629, 3980797651, 2545211369]);
  });

  it("differ by seed and by purpose", () => {
    const seeds = Array.from({ length: 1000 }, (_, index) => [
      derivedSeed(index, "link", "a"),
      derivedSeed(1, "link", `b${index}`),
    ]).flat();
    expect(new Set(seeds).size).to.equal(seeds.length);
  });
});

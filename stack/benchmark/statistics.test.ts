import { expect } from "chai";
import { growth, median, quantile, ratio } from "./statistics.ts";

describe("statistics of a benchmark", () => {
  it("a quantile lies between its neighbours, whatever the order of the samples", () => {
    expect(quantile([40, 10, 30, 20], 0.5)).to.equal(25);
    expect(quantile([3, 1, 2], 0)).to.equal(1);
    expect(quantile([3, 1, 2], 1)).to.equal(3);
    expect(quantile([7], 0.99)).to.equal(7);
    expect(() => quantile([], 0.5)).to.throw(RangeError);
  });

  it("sorts by size, not by spelling, and leaves the samples as they were", () => {
    const samples = [100, 9, 20];
    expect(median(samples)).to.equal(20);
    expect(samples).to.deep.equal([100, 9, 20]);
  });

  it("compares round by round: what slows a round of both does not count", () => {
    expect(ratio([10, 1, 20], [20, 2, 40])).to.equal(0.5);
    expect(() => ratio([1, 2], [1])).to.throw(RangeError);
  });

  it("sees a leak, and not the saw teeth of a heap", () => {
    expect(growth([100, 102, 104, 106, 108])).to.be.closeTo(8 / 104, 1e-12);
    expect(growth([5, 5, 5])).to.equal(0);
    const teeth = Array.from({ length: 100 }, (_, i) => 100 + (i % 10));
    expect(growth(teeth)).to.be.within(-0.02, 0.02);
    expect(growth(teeth.map((sample, i) => sample + i / 4))).to.be.greaterThan(0.15);
  });
});

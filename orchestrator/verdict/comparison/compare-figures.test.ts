import { expect } from "chai";
import { compareFigures } from "./compare-figures.ts";
import { estimateMean } from "./confidence-interval.ts";
import type { ComparedMetric, Figure } from "./run-figures.ts";

const figure = (metric: ComparedMetric, value: number): Figure => ({ of: "download", metric, value });
const verdict = (metric: ComparedMetric, one: readonly number[], other: readonly number[]): boolean | undefined =>
  compareFigures([
    { name: "simulation", runs: one.map((value) => [figure(metric, value)]) },
    { name: "namespaces", runs: other.map((value) => [figure(metric, value)]) },
  ])[0]!.agrees;

describe("the confidence interval of a mean", () => {
  it("is Student's: 1, 2, 3 have a mean of 2 ± 4.303 / √3", () => {
    const { mean, halfWidth } = estimateMean([1, 2, 3]);
    expect(mean).to.equal(2);
    expect(halfWidth).to.be.closeTo(2.484, 0.001);
  });

  it("is nothing that one sample could say", () => {
    expect(estimateMean([5])).to.deep.equal({ samples: [5], mean: 5 });
  });

  it("narrows to a point where nothing varies", () => {
    expect(estimateMean([4, 4, 4, 4]).halfWidth).to.equal(0);
  });
});

describe("figures side by side", () => {
  it("agree within 5 % of goodput and of completion, of the first column's", () => {
    expect(verdict("goodput", [100], [95])).to.equal(true);
    expect(verdict("goodput", [100], [94.9])).to.equal(false);
    expect(verdict("completion", [100], [105])).to.equal(true);
    expect(verdict("completion", [100], [105.1])).to.equal(false);
  });

  it("agree within 100 ms of the longest gap, however short it is", () => {
    expect(verdict("longestGap", [1000], [101_000])).to.equal(true);
    expect(verdict("longestGap", [1000], [101_001])).to.equal(false);
  });

  it("are compared by the means of their repetitions", () => {
    expect(verdict("goodput", [90, 110], [80, 120])).to.equal(true);
    expect(verdict("goodput", [90, 110], [80, 100])).to.equal(false);
  });

  it("are shown without a verdict where no tolerance is stated", () => {
    expect(verdict("share of wifi", [0.8], [0.1])).to.equal(undefined);
  });

  it("do not agree where one side has none, and do where neither transfer ended", () => {
    expect(verdict("goodput", [100], [])).to.equal(false);
    expect(verdict("completion", [Infinity], [Infinity])).to.equal(true);
    expect(verdict("completion", [1e6], [Infinity])).to.equal(false);
  });
});

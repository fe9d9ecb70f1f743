import { expect } from "chai";
import { LatenessHistogram } from "./lateness-histogram.ts";

describe("a histogram of lateness", () => {
  it("tells quantiles to 5 µs and the maximum exactly", () => {
    const histogram = new LatenessHistogram();
    for (let late = 0; late < 1000; late++) histogram.add(late);
    expect(histogram.total).to.equal(1000);
    expect(histogram.quantile(0.5)).to.be.within(499, 505);
    expect(histogram.quantile(0.99)).to.be.within(989, 995);
    expect(histogram.max).to.equal(999);
  });

  it("never tells more than the maximum", () => {
    const histogram = new LatenessHistogram();
    histogram.add(1.5);
    expect(histogram.quantile(0.5)).to.equal(1.5);
    histogram.add(70_000);
    expect(histogram.quantile(0.99)).to.equal(70_000);
  });

  it("is 0 when nothing was released", () => {
    expect(new LatenessHistogram().quantile(0.99)).to.equal(0);
  });
});

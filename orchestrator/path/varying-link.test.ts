import { expect } from "chai";
import { opportunityBytes } from "./delivery-trace.ts";
import { RandomStream } from "./random.ts";
import { generateTrace, type VaryingLink } from "./varying-link.ts";

const link: VaryingLink = {
  rateQuantilesBitsPerSecond: { p10: 1e6, p50: 4e6, p90: 8e6 },
  correlationMicroseconds: 5e6,
  coverageMicroseconds: 20e6,
  gapMicroseconds: 1e6,
};

const generate = (changes: Partial<VaryingLink>, seconds: number, seed = 1): number[] =>
  generateTrace({ ...link, ...changes }, seconds * 1e6, new RandomStream(seed), new RandomStream(seed + 1));

const ratesOf = (trace: readonly number[], seconds: number): number[] => {
  const rates = Array.from({ length: seconds }, () => 0);
  for (const moment of trace) rates[Math.floor((moment - 1) / 1000)]! += opportunityBytes * 8;
  return rates;
};

const mean = (values: readonly number[]): number => values.reduce((sum, value) => sum + value, 0) / values.length;

/** Of the logarithms of rates that are so many seconds apart. */
function correlation(rates: readonly number[], apart: number): number {
  const logarithms = rates.map((rate) => Math.log(rate));
  const centre = mean(logarithms);
  const deviations = logarithms.map((value) => value - centre);
  const products = deviations.slice(apart).map((value, index) => value * deviations[index]!);
  return mean(products) / mean(deviations.map((value) => value * value));
}

describe("a generated trace", () => {
  it("is the same for the same random numbers, and another for others", () => {
    expect(generate({}, 30)).to.deep.equal(generate({}, 30));
    expect(generate({}, 30)).not.to.deep.equal(generate({}, 30, 7));
  });

  it("never goes back in time, and ends at the length of its round", () => {
    for (let seed = 0; seed < 20; seed++) {
      const trace = generate({}, 10, seed);
      expect(trace[0]).to.be.at.least(1);
      expect(trace.at(-1)).to.equal(10_000);
      expect(trace.every((moment, index) => index === 0 || moment >= trace[index - 1]!)).to.equal(true);
    }
  });

  it("has one-second rates with the three quantiles that are asked for, gaps and all", () => {
    const rates = ratesOf(generate({}, 6000), 6000).toSorted((a, b) => a - b);
    expect(rates[600]! / 1e6).to.be.closeTo(1, 0.2);
    expect(rates[3000]! / 1e6).to.be.closeTo(4, 0.3);
    expect(rates[5400]! / 1e6).to.be.closeTo(8, 0.4);
  });

  it("is without coverage for the share of time that is asked for", () => {
    // Fast enough that hundreds of milliseconds without an opportunity are a gap and nothing else.
    const fast = { rateQuantilesBitsPerSecond: { p10: 20e6, p50: 21e6, p90: 22e6 }, coverageMicroseconds: 10e6 };
    const trace = generate(fast, 6000);
    const gaps = trace.map((moment, index) => moment - (trace[index - 1] ?? 0)).filter((length) => length > 10);
    const share = gaps.reduce((sum, length) => sum + length, 0) / 6_000_000;
    expect(share).to.be.closeTo(1 / 11, 0.015);
    expect(mean(gaps)).to.be.closeTo(1000, 150);
  });

  it("forgets its rate in the time that is asked for", () => {
    const coverageMicroseconds = 1e12;
    const slow = ratesOf(generate({ coverageMicroseconds }, 6000), 6000);
    expect(correlation(slow, 1)).to.be.closeTo(Math.exp(-1 / 5), 0.05);
    expect(correlation(slow, 5)).to.be.closeTo(Math.exp(-1), 0.1);
    const quick = ratesOf(generate({ coverageMicroseconds, correlationMicroseconds: 1e5 }, 6000), 6000);
    expect(correlation(quick, 1)).to.be.closeTo(0, 0.05);
  });
});

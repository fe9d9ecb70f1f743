import { expect } from "chai";
import * as fc from "fast-check";
import {
  describeQuantityMismatch,
  durationQuantity,
  formatDuration,
  formatProbability,
  formatQuantity,
  formatRate,
  formatSize,
  packetsQuantity,
  parseQuantity,
  percentQuantity,
  quantityPattern,
  rateQuantity,
  sizeQuantity,
} from "./units.ts";

describe("units", () => {
  it("reads a number with its unit", () => {
    expect(parseQuantity(rateQuantity, "8mbit")).to.equal(8e6);
    expect(parseQuantity(rateQuantity, "0.5gbit")).to.equal(5e8);
    expect(parseQuantity(durationQuantity, "1.5s")).to.equal(1_500_000);
    expect(parseQuantity(durationQuantity, "10us")).to.equal(10);
    expect(parseQuantity(sizeQuantity, "80kB")).to.equal(80_000);
    expect(parseQuantity(sizeQuantity, "64KiB")).to.equal(65_536);
    expect(parseQuantity(packetsQuantity, "50packets")).to.equal(50);
    expect(parseQuantity(percentQuantity, "1%")).to.equal(0.01);
  });

  it("takes no bare number, no other case, no space, no sign", () => {
    for (const text of ["8", "8Mbit", "8 mbit", "-8mbit", "mbit", "8mbps", "1e3bit", "", "8constructor"]) {
      expect(parseQuantity(rateQuantity, text), text).to.equal(undefined);
    }
  });

  it("prints the shortest spelling", () => {
    expect(formatRate(8_000_000)).to.equal("8mbit");
    expect(formatRate(1_500_000)).to.equal("1.5mbit");
    expect(formatDuration(20_000)).to.equal("20ms");
    expect(formatDuration(100_000)).to.equal("100ms");
    expect(formatDuration(90_000_000)).to.equal("90s");
    expect(formatDuration(0)).to.equal("0s");
    expect(formatSize(24_000_000)).to.equal("24MB");
    expect(formatProbability(0.01)).to.equal("1%");
  });

  for (const quantity of [rateQuantity, durationQuantity, sizeQuantity, packetsQuantity]) {
    it(`prints what it reads back: ${quantity.noun}`, () => {
      fc.assert(
        fc.property(fc.nat({ max: 10 ** 12 }), (value) => {
          const text = formatQuantity(quantity, value);
          expect(parseQuantity(quantity, text)).to.equal(value);
          expect(text).to.match(quantityPattern(quantity));
        }),
      );
    });
  }

  it("knows what was meant", () => {
    expect(describeQuantityMismatch([rateQuantity], "8Mbps")).to.equal("a rate such as 8mbit; did you mean 8mbit?");
    expect(describeQuantityMismatch([durationQuantity], "20 msec")).to.contain("did you mean 20ms?");
    expect(describeQuantityMismatch([durationQuantity], 20)).to.contain("20us, 20ms, 20s, 20min");
    expect(describeQuantityMismatch([durationQuantity], "soon")).to.equal(
      "a time such as 20ms; the units are us, ms, s, min",
    );
  });
});

import { expect } from "chai";
import type { LinkSample } from "./link-sample.ts";
import { LinkRates } from "./link-rates.ts";

function sample(time: number, bytes: number, direction: LinkSample["direction"] = "forward"): LinkSample {
  return {
    time,
    link: "wifi",
    direction,
    packets: 1,
    bytes,
    dropsQueue: 0,
    dropsLoss: 2,
    dropsBlackhole: 0,
    queueBytes: 7,
  };
}

describe("LinkRates", () => {
  it("derives bits per second from counters, each direction by itself, on the run's time", () => {
    const rates = new LinkRates(1_000_000);
    expect(rates.next(sample(1_000_000, 5000))).to.include({ time: 0, rateBitsPerSecond: 0 });
    expect(rates.next(sample(1_050_000, 99, "backward"))).to.include({ rateBitsPerSecond: 0 });
    expect(rates.next(sample(1_100_000, 105_000))).to.deep.equal({
      kind: "link",
      time: 100_000,
      link: "wifi",
      direction: "forward",
      packets: 0,
      bytes: 100_000,
      rateBitsPerSecond: 8_000_000,
      queueBytes: 7,
      dropsQueue: 0,
      dropsLoss: 0,
      dropsBlackhole: 0,
    });
  });

  it("counts from the last sample before the run's zero on, and tells none of these", () => {
    const rates = new LinkRates(1_000_000);
    expect(rates.next(sample(700_000, 100))).to.equal(undefined);
    expect(rates.next(sample(800_000, 1000))).to.equal(undefined);
    expect(rates.next(sample(1_800_000, 126_000))).to.include({
      time: 800_000,
      bytes: 125_000,
      rateBitsPerSecond: 1_000_000,
    });
    expect(rates.totals()).to.have.length(1);
    expect(rates.totals()[0]).to.include({ bytes: 125_000, packets: 0 });
  });

  it("leaves out a sample that adds no time", () => {
    const rates = new LinkRates(0);
    rates.next(sample(5, 10));
    expect(rates.next(sample(5, 20))).to.equal(undefined);
  });
});

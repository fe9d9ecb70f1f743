import { expect } from "chai";
import { RandomStream } from "../random.ts";
import { median, probabilityInterval, trainRate } from "./estimates.ts";

describe("estimates of a link", () => {
  it("take the middle, whatever a few late frames say", () => {
    expect(median([5, 1, 1000])).to.equal(5);
    expect(median([4, 1, 2, 3])).to.equal(2.5);
    expect(median([])).to.be.NaN;
  });

  it("find the rate of a train whose frames are released with errors", () => {
    const random = new RandomStream(1);
    const exact = (1514 * 8) / 8; // microseconds at 8 Mbit/s
    const arrivals = Array.from({ length: 600 }, (_, i) => ({
      time: 1e9 + i * exact + 300 * random.uniform(),
      bytes: 1514,
    }));
    arrivals[0]!.time += 5000;
    arrivals[300]!.time += 20_000;
    expect(trainRate(arrivals) / 8e6).to.be.within(0.998, 1.002);
  });

  it("do not need the frames in order, nor all of one size", () => {
    const arrivals = [
      { time: 2000, bytes: 1000 },
      { time: 0, bytes: 700 },
      { time: 2100, bytes: 100 },
      { time: 1000, bytes: 1000 },
    ];
    expect(trainRate(arrivals)).to.be.closeTo(8e6, 1e-6);
  });

  it("say nothing of a rate from two frames", () => {
    expect(trainRate([0, 1].map((time) => ({ time, bytes: 100 })))).to.be.NaN;
  });

  it("bound a probability, also when nothing was lost", () => {
    const [low, high] = probabilityInterval(20, 2000);
    expect(low).to.be.within(0.004, 0.006);
    expect(high).to.be.within(0.018, 0.024);
    expect(probabilityInterval(0, 1000)[0]).to.equal(0);
    expect(probabilityInterval(0, 1000)[1]).to.be.within(0.01, 0.011);
    expect(probabilityInterval(1000, 1000)[1]).to.be.closeTo(1, 1e-12);
  });

  it("contain the truth nearly always", () => {
    const random = new RandomStream(2);
    let missed = 0;
    for (let round = 0; round < 500; round++) {
      let hits = 0;
      for (let i = 0; i < 400; i++) if (random.uniform() < 0.03) hits++;
      const [low, high] = probabilityInterval(hits, 400);
      if (low > 0.03 || high < 0.03) missed++;
    }
    expect(missed).to.be.at.most(4);
  });
});

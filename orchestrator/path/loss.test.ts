import { expect } from "chai";
import { BernoulliLoss } from "./bernoulli-loss.ts";
import { Blackhole } from "./blackhole.ts";
import { GilbertElliottLoss, gilbertElliottLossRate, type GilbertElliottParameters } from "./gilbert-elliott-loss.ts";
import { ListedLoss } from "./listed-loss.ts";
import { describePathElement, drive, type ElementFactory } from "./path-element.compliance.ts";
import { RandomStream } from "./random.ts";

const bernoulli =
  (probability: number): ElementFactory =>
  (deliver, drop, seed) =>
    new BernoulliLoss(probability, new RandomStream(seed), deliver, drop);
const gilbertElliott =
  (parameters: GilbertElliottParameters): ElementFactory =>
  (deliver, drop, seed) =>
    new GilbertElliottLoss(parameters, new RandomStream(seed), deliver, drop);
const bursty = { pGoodToBad: 0.02, pBadToGood: 0.25, lossGood: 0.001, lossBad: 0.6 };

describePathElement("Bernoulli loss", bernoulli(0.3), { keepsOrder: true });
describePathElement("Gilbert-Elliott loss", gilbertElliott(bursty), { keepsOrder: true });
const listed =
  (...numbers: number[]): ElementFactory =>
  (deliver, drop) =>
    new ListedLoss(numbers, 0, deliver, drop);
describePathElement("listed losses", listed(2, 3, 5), { keepsOrder: true });
describePathElement("a blackhole that is off", (deliver, drop) => new Blackhole(deliver, drop), { keepsOrder: true });

const stream = Array.from({ length: 50_000 }, (_, time) => ({ bytes: 100, time }));
const lost = (factory: ElementFactory, seed: number) =>
  drive(factory, stream, seed).map(({ dropped }) => dropped === "loss");
const count = (flags: boolean[]) => flags.filter(Boolean).length;
/** Four standard deviations of a binomial. */
const bound = (probability: number) => 4 * Math.sqrt(stream.length * probability * (1 - probability));

describe("Bernoulli loss", () => {
  for (const probability of [0, 0.001, 0.01, 0.25, 1])
    it(`of ${probability} stays within binomial bounds`, () => {
      expect(count(lost(bernoulli(probability), 11))).to.be.closeTo(stream.length * probability, bound(probability));
    });

  it("is independent from packet to packet", () => {
    const flags = lost(bernoulli(0.2), 3);
    const pairs = flags.filter((flag, i) => flag && flags[i + 1]).length;
    expect(pairs).to.be.closeTo(stream.length * 0.04, bound(0.04));
  });

  it("differs with the seed", () => {
    expect(lost(bernoulli(0.1), 1)).not.to.deep.equal(lost(bernoulli(0.1), 2));
  });
});

describe("Gilbert-Elliott loss", () => {
  it("has its long-run rate", () => {
    const rate = gilbertElliottLossRate(bursty);
    expect(rate).to.be.closeTo((0.02 / 0.27) * 0.6 + (0.25 / 0.27) * 0.001, 1e-12);
    // Losses come in bursts of mean 1/pBadToGood packets, so the spread is wider than the binomial's.
    expect(count(lost(gilbertElliott(bursty), 5))).to.be.closeTo(stream.length * rate, 3 * bound(rate));
  });

  it("loses in bursts of the bad state's length", () => {
    const flags = lost(gilbertElliott({ pGoodToBad: 0.01, pBadToGood: 0.2, lossGood: 0, lossBad: 1 }), 9);
    const bursts = flags.filter((flag, i) => flag && !flags[i - 1]).length;
    expect(count(flags) / bursts).to.be.within(4.5, 5.5);
  });

  it("never leaves a state that has no way out", () => {
    expect(count(lost(gilbertElliott({ pGoodToBad: 0, pBadToGood: 1, lossGood: 0, lossBad: 1 }), 1))).to.equal(0);
    expect(gilbertElliottLossRate({ pGoodToBad: 0, pBadToGood: 0, lossGood: 0.1, lossBad: 1 })).to.equal(0.1);
  });
});

describe("a blackhole", () => {
  it("swallows everything while it is on", () => {
    const outcomes = drive(
      (deliver, drop) => new Blackhole(deliver, drop),
      stream.slice(0, 30),
      1,
      (element, time) => ((element as unknown as Blackhole<never>).isOn = time >= 10 && time < 20),
    );
    expect(outcomes.filter(({ dropped }) => dropped === "blackhole").map(({ time }) => time)).to.deep.equal(
      Array.from({ length: 10 }, (_, i) => 10 + i),
    );
  });
});

describe("listed losses", () => {
  it("are the packets of these numbers, from 1, and no other", () => {
    const numbers = lost(listed(1, 17, 50_000, 50_001), 1).flatMap((flag, index) => (flag ? [index + 1] : []));
    expect(numbers).to.deep.equal([1, 17, 50_000]);
  });
});

import { expect } from "chai";
import { Delay } from "./delay.ts";
import type { JitterParameters } from "./jitter.ts";
import { describePathElement, drive, type ElementFactory } from "./path-element.compliance.ts";
import { RandomStream } from "./random.ts";

const delay =
  (microseconds: number, jitter?: JitterParameters): ElementFactory =>
  (deliver, _drop, seed) =>
    new Delay(microseconds, jitter, new RandomStream(seed), deliver);

const uniform = { microseconds: 4000, distribution: "uniform", reorder: false } as const;
const normal = { microseconds: 4000, distribution: "normal", reorder: false } as const;

describePathElement("a delay", delay(20_000), { keepsOrder: true });
describePathElement("a delay of nothing", delay(0), { keepsOrder: true });
describePathElement("a delay with uniform jitter in order", delay(10_000, uniform), { keepsOrder: true });
describePathElement("a delay with normal jitter in order", delay(10_000, normal), { keepsOrder: true });
describePathElement("a delay with uniform jitter and reordering", delay(10_000, { ...uniform, reorder: true }), {
  keepsOrder: false,
});
describePathElement("a delay with normal jitter and reordering", delay(10_000, { ...normal, reorder: true }), {
  keepsOrder: false,
});

const spaced = Array.from({ length: 2000 }, (_, i) => ({ bytes: 100, time: i * 100 }));

describe("a delay", () => {
  it("is the same for every packet", () => {
    for (const { packet, time } of drive(delay(12_345), spaced)) expect(time - packet.number * 100).to.equal(12_345);
  });

  it("reorders only with jitter that may", () => {
    const numbers = (jitter: JitterParameters) =>
      drive(delay(10_000, jitter), spaced).map(({ packet }) => packet.number);
    const inOrder = spaced.map((_, i) => i);
    expect(numbers(uniform)).to.deep.equal(inOrder);
    expect(numbers({ ...uniform, reorder: true })).not.to.deep.equal(inOrder);
  });

  it("has a mean and a spread as configured", () => {
    for (const [distribution, deviation] of [
      ["uniform", 4000 / Math.sqrt(3)],
      ["normal", 4000],
    ] as const) {
      const jitter = { microseconds: 4000, distribution, reorder: true };
      const delays = drive(delay(50_000, jitter), spaced).map(({ packet, time }) => time - packet.number * 100);
      const mean = delays.reduce((sum, x) => sum + x, 0) / delays.length;
      const spread = Math.sqrt(delays.reduce((sum, x) => sum + (x - mean) ** 2, 0) / delays.length);
      expect(Math.abs(mean - 50_000)).to.be.below((4 * deviation) / Math.sqrt(delays.length));
      expect(spread / deviation).to.be.within(0.93, 1.07);
    }
  });

  it("made shorter on the way does not let packets overtake", () => {
    const order: [number, number][] = [];
    const element = new Delay<{ bytes: number; number: number }>(
      10_000,
      undefined,
      new RandomStream(1),
      (packet, time) => order.push([packet.number, time]),
    );
    element.push({ bytes: 1, number: 1 }, 0);
    element.configure(1000, undefined);
    element.push({ bytes: 1, number: 2 }, 100);
    element.push({ bytes: 1, number: 3 }, 9500);
    element.advance(20_000);
    expect(order).to.deep.equal([
      [1, 10_000],
      [2, 10_000],
      [3, 10_500],
    ]);
  });
});

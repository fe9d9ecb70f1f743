import { expect } from "chai";
import { memoryIsFlat, wraps } from "./verdict.ts";

const mebibyte = 2 ** 20;

function seriesOf(level: (i: number) => number): Parameters<typeof memoryIsFlat>[1] {
  const rss = Array.from({ length: 200 }, (_, i) => level(i) * mebibyte);
  return { rss, heapUsed: rss.map((bytes) => bytes / 2), external: rss.map((bytes) => bytes / 2) };
}

const passed = (level: (i: number) => number): boolean[] =>
  memoryIsFlat("end", seriesOf(level)).map((check) => check.passed);

describe("what a soak judges", () => {
  it("memory that swings is flat, and what it takes in the beginning does not count", () => {
    expect(passed((i) => 300 + 40 * (i % 2))).to.deep.equal([true, true]);
    expect(passed((i) => (i < 30 ? 100 + i : 300))).to.deep.equal([true, true]);
  });

  it("memory that grows by a tenth is not", () => {
    expect(passed((i) => 300 + i / 5 + 40 * (i % 2))).to.deep.equal([false, false]);
  });

  it("few samples prove nothing", () => {
    const few = { rss: [1, 1], heapUsed: [1, 1], external: [1, 1] };
    expect(memoryIsFlat("end", few).map((check) => check.passed)).to.deep.equal([false, false]);
  });

  it("sequence numbers have gone round as often as is certain, wherever they began", () => {
    expect(wraps([2 ** 32 - 1, 2 ** 32, 3 * 2 ** 32 + 5])).to.equal(4);
  });
});

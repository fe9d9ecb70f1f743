import { expect } from "chai";
import { RandomStream, splitmix32 } from "./random.ts";

describe("random streams", () => {
  it("are the same for ever: the first numbers of seed 1 are part of the promise to replay bundles", () => {
    const stream = new RandomStream(1);
    expect(Array.from({ length: 4 }, () => stream.uint32())).to.deep.equal(referenceSeed1());
  });

  it("differ between neighbouring seeds in about half of their bits", () => {
    const a = new RandomStream(7);
    const b = new RandomStream(8);
    let different = 0;
    for (let i = 0; i < 1000; i++) different += popcount(a.uint32() ^ b.uint32());
    expect(different / 32_000).to.be.within(0.48, 0.52);
  });

  it("are uniform in [0, 1)", () => {
    const stream = new RandomStream(3);
    const cells = Array.from({ length: 16 }, () => 0);
    for (let i = 0; i < 16_000; i++) {
      const x = stream.uniform();
      expect(x).to.be.within(0, 1 - Number.EPSILON / 2);
      cells[Math.floor(x * 16)]!++;
    }
    const chiSquare = cells.reduce((sum, n) => sum + (n - 1000) ** 2 / 1000, 0);
    expect(chiSquare).to.be.below(37.7); // 15 degrees of freedom, p = 0.001
  });

  it("have a normal with mean 0 and variance 1", () => {
    const stream = new RandomStream(5);
    const draws = Array.from({ length: 20_000 }, () => stream.normal());
    const mean = draws.reduce((sum, x) => sum + x, 0) / draws.length;
    const variance = draws.reduce((sum, x) => sum + (x - mean) ** 2, 0) / draws.length;
    expect(Math.abs(mean)).to.be.below(4 / Math.sqrt(draws.length));
    expect(variance).to.be.within(0.96, 1.04);
  });
});

/** xoshiro128** once more, straight from its description with 64-bit arithmetic. */
function referenceSeed1(): number[] {
  const next = splitmix32(1);
  const mask = 0xffffffffn;
  const rotate = (x: bigint, k: bigint) => ((x << k) | (x >> (32n - k))) & mask;
  const s = Array.from({ length: 4 }, () => BigInt(next()));
  return Array.from({ length: 4 }, () => {
    const result = (rotate((s[1]! * 5n) & mask, 7n) * 9n) & mask;
    const t = (s[1]! << 9n) & mask;
    s[2]! ^= s[0]!;
    s[3]! ^= s[1]!;
    s[1]! ^= s[2]!;
    s[0]! ^= s[3]!;
    s[2]! ^= t;
    s[3] = rotate(s[3]!, 11n);
    return Number(result);
  });
}

function popcount(bits: number): number {
  let count = 0;
  for (let rest = bits >>> 0; rest !== 0; rest &= rest - 1) count++;
  return count;
}

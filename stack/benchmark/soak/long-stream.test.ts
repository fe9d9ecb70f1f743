import { createHash } from "node:crypto";
import { expect } from "chai";
import { BlockHashes, LongStream } from "./long-stream.ts";

describe("the stream of a soak", () => {
  it("goes on where it was left, and begins again after its period", () => {
    const stream = new LongStream();
    const first = stream.next(100);
    stream.advance(60);
    expect(stream.next(40).equals(first.subarray(60))).to.equal(true);
    stream.advance(16_777_213 - 60);
    expect(stream.next(100).equals(first)).to.equal(true);
  });

  it("has other bytes at the places that mistakes of sequence numbers lead to", () => {
    const stream = new LongStream();
    const right = stream.next(64);
    for (const mistake of [1, 1_428, 65_536, 2 ** 31, 2 ** 32]) {
      stream.advance(mistake);
      expect(stream.next(64).equals(right), `off by ${mistake}`).to.equal(false);
      stream.advance(16_777_213 - (mistake % 16_777_213));
      expect(stream.next(64).equals(right)).to.equal(true);
    }
  });

  it("is hashed block by block, however it was cut", () => {
    const blockBytes = 1_000;
    const half = Buffer.alloc(blockBytes / 2, "a");
    const whole = new BlockHashes(blockBytes);
    for (const part of [half, half.subarray(0, 5), half.subarray(5), half.subarray(0, 3)]) whole.update(part);
    expect(whole.finished).to.deep.equal([createHash("sha256").update(half).update(half).digest("hex")]);
    expect(whole.partial).to.equal(createHash("sha256").update("aaa").digest("hex"));
    const across = new BlockHashes(blockBytes);
    for (const part of [half.subarray(1), half, half.subarray(0, 4)]) across.update(part);
    expect([across.finished, across.partial, across.bytes]).to.deep.equal([
      whole.finished,
      whole.partial,
      blockBytes + 3,
    ]);
  });
});

import { createHash } from "node:crypto";
import { expect } from "chai";
import { assert, nat, property } from "fast-check";
import { Payload, payloadSha256 } from "./payload.ts";

describe("Payload", () => {
  it("gives the same bytes however it is cut", () => {
    const whole = Buffer.from(new Payload(5).chunk(0, 4096));
    assert(
      property(nat(4000), nat(96), (offset, length) => {
        const part = Buffer.from(new Payload(5).chunk(offset, length));
        expect(part.equals(whole.subarray(offset, offset + length))).to.equal(true);
      }),
    );
  });

  it("stays as it is: the judge of a stored bundle computes the same bytes", () => {
    expect(Buffer.from(new Payload(1).chunk(0, 16)).toString("hex")).to.equal("8f5cef2f2fd08e3d10cc7d2eb7d30c31");
    expect(payloadSha256(1, 1_000_003)).to.equal("b75b30d2e23af16fdac2090fd3fe474ae8abb807e9a5619a11096ed1ed89c8f3");
  });

  it("differs from word to word, from seed to seed, and beyond 16 GiB", () => {
    const words = new Uint32Array(new Payload(9).chunk(0, 1 << 20).buffer);
    expect(new Set(words).size).to.equal(words.length);
    expect(payloadSha256(2, 100)).not.to.equal(payloadSha256(2 + 2 ** 32, 100));
    const wrap = 2 ** 34;
    const across = Buffer.from(new Payload(9).chunk(wrap - 8, 16));
    expect(across.subarray(8).equals(Buffer.from(new Payload(9).chunk(wrap, 8)))).to.equal(true);
    expect(across.subarray(8).equals(Buffer.from(new Payload(9).chunk(0, 8)))).to.equal(false);
  });

  it("hashes exactly the bytes asked for", () => {
    const bytes = new Payload(3).chunk(0, 100_001);
    expect(payloadSha256(3, 100_001)).to.equal(createHash("sha256").update(bytes).digest("hex"));
  });
});

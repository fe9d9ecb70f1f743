import { createHash } from "node:crypto";
import { expect } from "chai";
import { assert, integer, nat, property } from "fast-check";
import { Payload, payloadChunkBytes, payloadPeriod, payloadSha256 } from "./payload.ts";

describe("Payload", () => {
  it("gives the same bytes however it is cut", () => {
    const whole = Buffer.concat([...new Payload(5).chunks(0, 3 * payloadPeriod)]);
    assert(
      property(nat(2 * payloadPeriod), nat(payloadChunkBytes), (offset, length) => {
        const part = new Payload(5).chunk(offset, length);
        expect(Buffer.compare(part, whole.subarray(offset, offset + length))).to.equal(0);
      }),
    );
  });

  it("stays as it is: who has a bundle computes the same bytes", () => {
    expect(Buffer.from(new Payload(1).chunk(0, 16)).toString("hex")).to.equal("4e459b3147db58ebf3a44b943bad42f9");
    expect(payloadSha256(1, 3_000_003)).to.equal("8c7f132d14dce7b721b91c6541c3484b70b05b3ab8c9df099cdac76c1adc4db1");
  });

  it("repeats after its period and not before: a prime that is no multiple of anything by which data go astray", () => {
    const distance = (a: Uint8Array, b: Uint8Array): number => Buffer.compare(a, b);
    const { chunk } = { chunk: (offset: number) => new Payload(9).chunk(offset, 16) };
    assert(
      property(nat(2 ** 40), integer({ min: 1, max: 2 ** 40 }), (offset, astray) => {
        const same = distance(chunk(offset), chunk(offset + astray)) === 0;
        expect(same).to.equal(astray % payloadPeriod === 0);
      }),
    );
    expect(distance(chunk(12_345), chunk(12_345 + 7 * payloadPeriod))).to.equal(0);
    for (let divisor = 2; divisor < 1024; divisor++) expect(payloadPeriod % divisor).not.to.equal(0);
  });

  it("differs from seed to seed at every offset", () => {
    assert(
      property(nat(2 ** 32 - 1), nat(2 ** 32 - 1), nat(2 ** 40), (one, other, offset) => {
        const same = Buffer.compare(new Payload(one).chunk(offset, 16), new Payload(other).chunk(offset, 16)) === 0;
        expect(same).to.equal((one - other) % payloadPeriod === 0);
      }),
    );
  });

  it("refuses more than a chunk at a time", () => {
    expect(() => new Payload(1).chunk(0, payloadChunkBytes + 1)).to.throw(RangeError, "65537 bytes");
  });

  it("hashes exactly the bytes asked for", () => {
    const bytes = Buffer.concat([...new Payload(3).chunks(0, 100_001)]);
    expect(bytes.length).to.equal(100_001);
    expect(payloadSha256(3, 100_001)).to.equal(createHash("sha256").update(bytes).digest("hex"));
  });
});

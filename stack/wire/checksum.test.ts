import { expect } from "chai";
import fc from "fast-check";
import { checksumAdd, checksumAddOdd, checksumFinish, checksumFold } from "./checksum.ts";

describe("the Internet checksum", () => {
  it("gives the sum of RFC 1071 §3", () => {
    const bytes = Uint8Array.of(0x00, 0x01, 0xf2, 0x03, 0xf4, 0xf5, 0xf6, 0xf7);
    expect(checksumFold(checksumAdd(0, bytes, 0, 8))).to.equal(0xddf2);
    expect(checksumFinish(checksumAdd(0, bytes, 0, 8))).to.equal(0x220d);
  });

  it("is the same however the bytes are cut into pieces", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), fc.array(fc.nat(199), { maxLength: 5 }), (bytes, cuts) => {
        const edges = [0, ...cuts.filter((cut) => cut < bytes.length).sort((a, b) => a - b), bytes.length];
        let sum = 0;
        for (let i = 1; i < edges.length; i++) {
          const from = edges[i - 1]!;
          const length = edges[i]! - from;
          sum = from % 2 === 0 ? checksumAdd(sum, bytes, from, length) : checksumAddOdd(sum, bytes, from, length);
        }
        expect(checksumFold(sum)).to.equal(checksumFold(checksumAdd(0, bytes, 0, bytes.length)));
      }),
    );
  });
});

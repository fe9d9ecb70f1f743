import { expect } from "chai";
import * as fc from "fast-check";
import { completeChecksum } from "./partial-checksum.ts";

function onesComplementSum(bytes: Uint8Array): number {
  let sum = 0;
  bytes.forEach((byte, i) => (sum += i % 2 === 0 ? byte << 8 : byte));
  while (sum > 0xffff) sum = (sum & 0xffff) + (sum >>> 16);
  return sum;
}

const octets = (min: number, max: number) => fc.uint8Array({ minLength: min, maxLength: max });

describe("a partial checksum", () => {
  it("is completed so that segment and pseudo-header sum to all ones (RFC 1071)", () => {
    fc.assert(
      fc.property(octets(34, 34), octets(20, 400), octets(12, 12), (headers, segment, pseudoHeader) => {
        const frame = Uint8Array.from([...headers, ...segment]);
        const pseudo = onesComplementSum(pseudoHeader);
        frame[34 + 16] = pseudo >> 8;
        frame[34 + 17] = pseudo & 0xff;
        const memory = Uint8Array.from([0xee, ...frame, 0xee]);
        completeChecksum(memory, 1, frame.length, 34, 16);
        expect(
          onesComplementSum(Uint8Array.from([...pseudoHeader, ...memory.subarray(35, 1 + frame.length)])),
        ).to.equal(0xffff);
        expect([memory[0], memory.at(-1)]).to.deep.equal([0xee, 0xee]);
      }),
    );
  });

  it("outside of the frame changes nothing", () => {
    const frame = new Uint8Array(40).fill(1);
    completeChecksum(frame, 0, 40, 30, 16);
    expect(frame).to.deep.equal(new Uint8Array(40).fill(1));
  });
});

import { expect } from "chai";
import * as fc from "fast-check";
import { ByteRanges } from "./byte-ranges.ts";
import { DataMappings } from "./data-mappings.ts";
import { SequenceSpace } from "./sequence-space.ts";

describe("ByteRanges", () => {
  it("knows what a set of bytes would know", () => {
    const range = fc.tuple(fc.integer({ min: 0, max: 60 }), fc.integer({ min: 0, max: 12 }));
    fc.assert(
      fc.property(fc.array(range, { maxLength: 30 }), (added) => {
        const ranges = new ByteRanges();
        const bytes = new Set<number>();
        for (const [start, length] of added.filter(([, length]) => length > 0)) {
          const before = bytes.size;
          for (let at = start; at < start + length; at++) bytes.add(at);
          expect(ranges.add(start, start + length)).to.equal(bytes.size - before);
          let contiguous = 0;
          while (bytes.has(contiguous)) contiguous += 1;
          expect(ranges.contiguousEnd).to.equal(contiguous);
          expect(ranges.end).to.equal(Math.max(0, ...bytes) + (bytes.size > 0 ? 1 : 0));
        }
      }),
    );
  });
});

describe("DataMappings", () => {
  it("place each byte of a subflow where its mapping says, in whatever order and however often mappings come", () => {
    const lengths = fc.array(fc.integer({ min: 1, max: 9 }), { minLength: 1, maxLength: 12 });
    fc.assert(
      fc.property(lengths, fc.infiniteStream(fc.nat(1000)), (sizes, order) => {
        const placed: { at: number; data: number; length: number }[] = [];
        let at = 0;
        let data = 0;
        for (const length of sizes) {
          placed.push({ at, data, length });
          at += length;
          data += length + (order.next().value % 2) * 7;
        }
        const mappings = new DataMappings();
        const shuffled = placed
          .map((mapping) => ({ mapping, key: order.next().value }))
          .toSorted((one, other) => one.key - other.key);
        for (const { mapping } of [...shuffled, ...shuffled]) mappings.add(mapping.at, mapping.data, mapping.length);
        const pieces = mappings.resolve(0, at + 3);
        const found = pieces.flatMap(({ subflowStart, subflowEnd, dataStart }) =>
          Array.from({ length: subflowEnd - subflowStart }, (_, index) =>
            dataStart === undefined ? undefined : dataStart + index,
          ),
        );
        const expected = placed.flatMap((mapping) =>
          Array.from({ length: mapping.length }, (_, index) => mapping.data + index),
        );
        expect(found).to.deep.equal([...expected, undefined, undefined, undefined]);
      }),
    );
  });
});

describe("SequenceSpace", () => {
  it("follows 32-bit numbers over any number of wraps, with steps back", () => {
    const first = fc.integer({ min: 0, max: 0xffffffff });
    const steps = fc.array(fc.integer({ min: -(2 ** 29), max: 2 ** 30 }), { maxLength: 100 });
    fc.assert(
      fc.property(first, steps, (start, moves) => {
        const space = new SequenceSpace(start);
        let offset = 0;
        let highest = 0;
        for (const move of moves) {
          offset = Math.max(highest - 2 ** 30, offset + move);
          highest = Math.max(highest, offset);
          expect(space.offset((((start + offset) % 2 ** 32) + 2 ** 32) % 2 ** 32)).to.equal(offset);
        }
      }),
    );
  });
});

import { expect } from "chai";
import { assert, integer, pre, property } from "fast-check";
import { SegmentSchedule, streamBytes } from "./segment-schedule.ts";

describe("SegmentSchedule", () => {
  it("hands out segment k at start + k × its duration and not before", () => {
    const schedule = new SegmentSchedule(
      { rateBitsPerSecond: 8_000_000, segmentMicroseconds: 100, durationMicroseconds: 250 },
      5000,
    );
    expect(schedule.take(4999)).to.equal(undefined);
    expect(schedule.take(5000)).to.deep.equal({ index: 0, offset: 0, bytes: 100 });
    expect(schedule.take(5099)).to.equal(undefined);
    expect(schedule.pollTimeout()).to.equal(5100);
    expect(schedule.take(9000)).to.deep.equal({ index: 1, offset: 100, bytes: 100 });
    expect(schedule.take(9000)).to.deep.equal({ index: 2, offset: 200, bytes: 50 });
    expect(schedule.take(9000)).to.equal(undefined);
    expect(schedule.pollTimeout()).to.equal(Infinity);
  });

  it("yields the stream's bytes without hole or overlap at any rate", () => {
    assert(
      property(
        integer({ min: 1000, max: 100_000_000 }),
        integer({ min: 1000, max: 2_000_000 }),
        integer({ min: 1000, max: 20_000_000 }),
        (rateBitsPerSecond, segmentMicroseconds, durationMicroseconds) => {
          pre(durationMicroseconds / segmentMicroseconds < 1000);
          const options = { rateBitsPerSecond, segmentMicroseconds, durationMicroseconds };
          const schedule = new SegmentSchedule(options, 0);
          let offset = 0;
          for (let segment = schedule.take(1e12); segment; segment = schedule.take(1e12)) {
            expect(segment.offset).to.equal(offset);
            offset += segment.bytes;
          }
          expect(offset).to.equal(streamBytes(options));
        },
      ),
    );
  });
});

import { expect } from "chai";
import * as fc from "fast-check";
import { DeliveryTrace, opportunityBytes } from "./delivery-trace.ts";
import { LinkDirection } from "./link-direction.ts";

describe("a delivery trace", () => {
  it("lets a full frame leave at each moment, small packets together, and begins again at its end", () => {
    const trace = new DeliveryTrace([1, 3, 3, 10]);
    expect(trace.finish(0, 1514)).to.equal(1_000);
    expect(trace.finish(1_000, 757)).to.equal(3_000);
    expect(trace.finish(3_000, 757)).to.equal(3_000);
    expect(trace.finish(3_000, 1000)).to.equal(3_000);
    expect(trace.finish(3_000, 1000)).to.equal(10_000);
    expect(trace.finish(10_000, 1514)).to.equal(11_000);
    expect(trace.finish(12_500, 60)).to.equal(13_000);
  });

  it("loses what nobody waits for", () => {
    const trace = new DeliveryTrace([10]);
    expect(trace.finish(0, 60)).to.equal(10_000);
    expect(trace.finish(35_000, 60)).to.equal(40_000);
    expect(trace.finish(1e9 + 1, 60)).to.equal(1e9 + 10_000);
  });

  it("never carries more than its opportunities, and never goes back in time", () => {
    const traces = fc
      .array(fc.nat({ max: 20 }), { minLength: 1, maxLength: 20 })
      .map((steps) => steps.reduce<number[]>((moments, step) => [...moments, (moments.at(-1) ?? 0) + step], []))
      .filter((moments) => moments.at(-1)! > 0);
    const packets = fc.array(fc.record({ gap: fc.nat({ max: 30_000 }), bytes: fc.integer({ min: 60, max: 1514 }) }));
    fc.assert(
      fc.property(traces, packets, (moments, given) => {
        const trace = new DeliveryTrace(moments);
        const carried = new Map<number, number>();
        let now = 0;
        let before = 0;
        for (const { gap, bytes } of given) {
          now = Math.max(now, before) + gap;
          before = trace.finish(now, bytes);
          expect(before).to.be.at.least(now);
          carried.set(before, (carried.get(before) ?? 0) + bytes);
        }
        const period = moments.at(-1)!;
        for (const [time, bytes] of carried) {
          const at = time / 1000;
          const same = moments.filter((moment) => (at - moment) % period === 0 && at >= moment).length;
          // A packet that began to leave at the opportunity before may end here.
          expect(bytes).to.be.at.most((same + 1) * opportunityBytes);
        }
      }),
    );
  });

  it("stands in a link in the place of a rate", () => {
    const times: number[] = [];
    const link = new LinkDirection<{ bytes: number }>(
      { trace: { opportunitiesMilliseconds: [5, 20] }, queue: { packets: 2 }, delayMicroseconds: 1_000, seed: 1 },
      (_packet, time) => times.push(time),
      () => times.push(-1),
    );
    for (let number = 0; number < 4; number++) link.push({ bytes: 1514 }, 0);
    link.advance(1e6);
    expect(times).to.deep.equal([-1, 6_000, 21_000, 26_000]);
  });

  it("begins its round where it is told to; until then the link has its rate", () => {
    const times: number[] = [];
    const link = new LinkDirection<{ bytes: number }>(
      { rateBitsPerSecond: 12.112e6, trace: { opportunitiesMilliseconds: [5, 20] }, seed: 1 },
      (_packet, time) => times.push(time),
      () => times.push(-1),
    );
    link.beginTrace(Infinity);
    for (let number = 0; number < 2; number++) link.push({ bytes: 1514 }, 7_000_000);
    link.advance(7_500_000);
    link.beginTrace(7_600_300);
    for (let number = 0; number < 2; number++) link.push({ bytes: 1514 }, 7_599_500);
    for (let number = 0; number < 2; number++) link.push({ bytes: 1514 }, 7_621_000);
    link.advance(8e6);
    // What is being sent at the zero is sent at the rate.
    expect(times).to.deep.equal([7_001_000, 7_002_000, 7_600_500, 7_605_300, 7_625_300, 7_640_300]);
  });
});

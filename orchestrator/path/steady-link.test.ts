import { expect } from "chai";
import * as fc from "fast-check";
import { LinkDirection, type LinkDirectionConfig } from "./link-direction.ts";
import { drive, type ElementFactory, type TestPacket } from "./path-element.compliance.ts";

const config: fc.Arbitrary<LinkDirectionConfig> = fc.record(
  {
    seed: fc.constant(1),
    rateBitsPerSecond: fc.integer({ min: 100_000, max: 20_000_000 }),
    queue: fc.record(
      {
        bytes: fc.integer({ min: 0, max: 20_000 }),
        packets: fc.integer({ min: 0, max: 12 }),
        timeMicroseconds: fc.integer({ min: 0, max: 20_000 }),
      },
      { requiredKeys: [] },
    ),
    delayMicroseconds: fc.integer({ min: 0, max: 30_000 }),
  },
  { requiredKeys: ["seed"] },
);

const arrivals = fc
  .array(fc.record({ bytes: fc.integer({ min: 14, max: 1514 }), gap: fc.integer({ min: 0, max: 3000 }) }), {
    maxLength: 100,
  })
  .map((packets) => {
    let time = 0;
    return packets.map(({ bytes, gap }) => ({ bytes, time: (time += gap) }));
  });

/** The rest of the packet being sent, multiplied and divided by this rate, was not what it had been. */
const toldTheSameWhileSending = [
  { bytes: 231, time: 0 },
  { bytes: 14, time: 0 },
  { bytes: 14, time: 0 },
  { bytes: 14, time: 1746 },
  { bytes: 14, time: 2095 },
];

/** One that has been configured is made of a queue and a delay; `after` packets it is told what it is already. */
function configured(shape: LinkDirectionConfig, after: number): ElementFactory {
  return (deliver, drop) => {
    const link = new LinkDirection<TestPacket>(shape, deliver, drop);
    const push = link.push.bind(link);
    link.push = (packet, now) => {
      if (packet.number === after) link.configure(shape, now);
      push(packet, now);
    };
    return link;
  };
}

describe("a link without change", () => {
  it("is to the last bit what its queue and its delay are one by one, and may become these at any moment", () => {
    fc.assert(
      fc.property(config, arrivals, fc.nat(100), (shape, packets, after) => {
        const steady = drive((deliver, drop) => new LinkDirection<TestPacket>(shape, deliver, drop), packets);
        expect(drive(configured(shape, 0), packets)).to.deep.equal(steady);
        expect(drive(configured(shape, after), packets)).to.deep.equal(steady);
      }),
      { examples: [[{ seed: 1, rateBitsPerSecond: 100_006 }, toldTheSameWhileSending, 4]] },
    );
  });

  it("counts as its elements do at any moment", () => {
    fc.assert(
      fc.property(config, arrivals, (shape, packets) => {
        const links = [1, 2].map(
          () =>
            new LinkDirection<TestPacket>(
              shape,
              () => {},
              () => {},
            ),
        );
        links[1]!.configure(shape, 0);
        for (const [number, { bytes, time }] of packets.entries()) {
          for (const link of links) link.push({ bytes, number }, time);
          expect(links[0]!.counters(time)).to.deep.equal(links[1]!.counters(time));
          expect(links[0]!.heldPackets).to.equal(links[1]!.heldPackets);
          expect(links[0]!.nextTime()).to.equal(links[1]!.nextTime());
        }
      }),
    );
  });
});

import { expect } from "chai";
import * as fc from "fast-check";
import type { Deliver, Drop, DropReason, PathElement } from "./path-element.ts";

/** A packet that knows its place in the order of sending. */
export type TestPacket = { readonly bytes: number; readonly number: number };

export type Outcome = { packet: TestPacket; time: number; dropped?: DropReason };

export type ElementFactory = (
  deliver: Deliver<TestPacket>,
  drop: Drop<TestPacket>,
  seed: number,
) => PathElement<TestPacket>;

/** Pushes packets at their times and lets everything leave; outcomes in order of happening. */
export function drive(
  factory: ElementFactory,
  arrivals: readonly { bytes: number; time: number }[],
  seed = 1,
  betweenPushes: (element: PathElement<TestPacket>, time: number) => void = () => {},
): Outcome[] {
  const outcomes: Outcome[] = [];
  const element = factory(
    (packet, time) => outcomes.push({ packet, time }),
    (packet, dropped, time) => outcomes.push({ packet, time, dropped }),
    seed,
  );
  arrivals.forEach(({ bytes, time }, number) => {
    element.advance(time);
    betweenPushes(element, time);
    element.push({ bytes, number }, time);
  });
  for (let next = element.nextTime(); next !== Infinity; next = element.nextTime()) {
    element.advance(next);
    if (element.nextTime() === next) throw new Error(`advance(${next}) leaves the element due at ${next}`);
  }
  expect(element.heldPackets, "packets left inside").to.equal(0);
  return outcomes;
}

const arrivals: fc.Arbitrary<{ bytes: number; time: number }[]> = fc
  .array(fc.record({ bytes: fc.integer({ min: 14, max: 1514 }), gap: fc.integer({ min: 0, max: 3000 }) }), {
    maxLength: 200,
  })
  .map((packets) => {
    let time = 0;
    return packets.map(({ bytes, gap }) => ({ bytes, time: (time += gap) }));
  });

/** What every path element promises, however it treats packets. */
export function describePathElement(name: string, factory: ElementFactory, promises: { keepsOrder: boolean }): void {
  describe(`${name} as a path element`, () => {
    it("delivers or drops each packet exactly once, unchanged", () => {
      fc.assert(
        fc.property(arrivals, fc.nat(), (packets, seed) => {
          const outcomes = drive(factory, packets, seed);
          const numbers = outcomes.map(({ packet }) => packet.number).sort((a, b) => a - b);
          expect(numbers).to.deep.equal(packets.map((_, number) => number));
          for (const { packet } of outcomes) expect(packet.bytes).to.equal(packets[packet.number]!.bytes);
        }),
      );
    });

    it("delivers nothing before it came, and in order of time", () => {
      fc.assert(
        fc.property(arrivals, fc.nat(), (packets, seed) => {
          const delivered = drive(factory, packets, seed).filter(({ dropped }) => dropped === undefined);
          let last = -Infinity;
          for (const { packet, time } of delivered) {
            expect(time).to.be.at.least(packets[packet.number]!.time);
            expect(time).to.be.at.least(last);
            last = time;
          }
        }),
      );
    });

    it("does the same again with the same seed", () => {
      fc.assert(
        fc.property(arrivals, fc.nat(), (packets, seed) => {
          expect(drive(factory, packets, seed)).to.deep.equal(drive(factory, packets, seed));
        }),
      );
    });

    it("gives the same times whether it is advanced often or late", () => {
      fc.assert(
        fc.property(arrivals, fc.nat(), (packets, seed) => {
          const eager: Outcome[] = drive(factory, packets, seed);
          const lazy: Outcome[] = [];
          const element = factory(
            (packet, time) => lazy.push({ packet, time }),
            (packet, dropped, time) => lazy.push({ packet, time, dropped }),
            seed,
          );
          packets.forEach(({ bytes, time }, number) => element.push({ bytes, number }, time));
          element.advance(1e12);
          const byNumber = (a: Outcome, b: Outcome) => a.packet.number - b.packet.number;
          expect(lazy.sort(byNumber)).to.deep.equal(eager.sort(byNumber));
        }),
      );
    });

    if (promises.keepsOrder)
      it("keeps the order of packets", () => {
        fc.assert(
          fc.property(arrivals, fc.nat(), (packets, seed) => {
            const delivered = drive(factory, packets, seed).filter(({ dropped }) => dropped === undefined);
            const numbers = delivered.map(({ packet }) => packet.number);
            expect(numbers).to.deep.equal([...numbers].sort((a, b) => a - b));
          }),
        );
      });
  });
}

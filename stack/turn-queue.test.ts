import { expect } from "chai";
import fc from "fast-check";
import { TurnQueue } from "./turn-queue.ts";

describe("the queue of turns", () => {
  it("has each once, in the order of asking, few or many, also while turns are given", () => {
    const step = fc.oneof(fc.nat(30), fc.constant("take" as const));
    fc.assert(
      fc.property(fc.array(step, { maxLength: 300 }), (steps) => {
        const queue = new TurnQueue<number>();
        const expected: number[] = [];
        for (const what of steps) {
          if (what === "take") expect(queue.take()).to.equal(expected.shift());
          else {
            queue.add(what);
            if (!expected.includes(what)) expected.push(what);
          }
          expect(queue.size).to.equal(expected.length);
        }
      }),
    );
  });
});

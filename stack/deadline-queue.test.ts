import { expect } from "chai";
import { DeadlineQueue, type Scheduled } from "./deadline-queue.ts";
import { seededRandom } from "./testing/random.ts";

interface Item extends Scheduled {
  at: number;
}

function drained(queue: DeadlineQueue<Item>): number[] {
  const times: number[] = [];
  for (let due = queue.takeDue(1e9); due !== undefined; due = queue.takeDue(1e9)) times.push(due.at);
  return times;
}

describe("a queue of deadlines", () => {
  it("gives items in the order of their present deadlines, whatever they were before", () => {
    const random = seededRandom(7);
    const queue = new DeadlineQueue<Item>((item) => item.at);
    const items = Array.from({ length: 500 }, (): Item => ({ at: random() % 1_000 }));
    for (const item of items) queue.update(item);
    for (let i = 0; i < 5_000; i++) {
      const item = items[random() % items.length]!;
      item.at = random() % 1_000;
      queue.update(item);
    }
    for (const removed of items.splice(0, 300)) queue.remove(removed);
    expect(queue.size).to.equal(200);
    expect(queue.next).to.equal(Math.min(...items.map(({ at }) => at)));
    expect(drained(queue)).to.deep.equal(items.map(({ at }) => at).toSorted((a, b) => a - b));
    expect(queue.next).to.equal(Number.POSITIVE_INFINITY);
  });

  it("does not hold on to what is removed long before its deadline", () => {
    const queue = new DeadlineQueue<Item>((item) => item.at);
    queue.update({ at: 5 });
    for (let i = 0; i < 100_000; i++) {
      const item: Item = { at: 1_000_000 + i };
      queue.update(item);
      queue.remove(item);
    }
    expect(queue.heldEntries).to.be.at.most(65);
    expect(drained(queue)).to.deep.equal([5]);
  });
});

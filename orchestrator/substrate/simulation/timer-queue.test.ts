import { expect } from "chai";
import fc from "fast-check";
import { TimerQueue } from "./timer-queue.ts";

/** All that are set, first to last. */
function drain(queue: TimerQueue): number[] {
  const order: number[] = [];
  for (let timer = queue.begin(); timer !== -1; timer = queue.begin()) order.push(timer);
  return order;
}

describe("TimerQueue", () => {
  it("gives timers by time, those of one time as they were set", () => {
    const queue = new TimerQueue(2);
    const [a, b, c, d] = [queue.create(), queue.create(), queue.create(), queue.create()] as const;
    queue.set(a, 20);
    queue.set(b, 10);
    queue.set(c, 20);
    queue.set(d, 10);
    expect(queue.firstTime).to.equal(10);
    expect(drain(queue)).to.deep.equal([b, d, a, c]);
    expect(queue.firstTime).to.equal(Infinity);
  });

  it("leaves a timer its place when it is set to the same time, and sends it to the end when it is set to another and back", () => {
    const queue = new TimerQueue();
    const [a, b] = [queue.create(), queue.create()] as const;
    queue.set(a, 5);
    queue.set(b, 5);
    queue.set(a, 5);
    expect(queue.timeOf(a)).to.equal(5);
    queue.set(b, 6);
    queue.set(b, 5);
    queue.set(a, 4);
    queue.set(a, 5);
    expect(drain(queue)).to.deep.equal([b, a]);
  });

  it("forgets what is cancelled, set to Infinity or released, and gives a released number out again", () => {
    const queue = new TimerQueue();
    const [a, b, c] = [queue.create(), queue.create(), queue.create()] as const;
    for (const timer of [a, b, c]) queue.set(timer, timer);
    queue.cancel(a);
    queue.set(b, Infinity);
    queue.release(c);
    expect(queue.length).to.equal(0);
    expect(queue.timeOf(b)).to.equal(Infinity);
    expect(queue.create()).to.equal(c);
    expect(drain(queue)).to.deep.equal([]);
  });

  it("is a list sorted by time and order of setting, whatever is done to it", () => {
    const timers = 12;
    const command = fc.record({
      timer: fc.nat(timers - 1),
      time: fc.oneof(fc.nat(6), fc.constant(Infinity)),
      take: fc.boolean(),
      settled: fc.boolean(),
    });
    fc.assert(
      fc.property(fc.array(command, { maxLength: 200 }), (commands) => {
        const queue = new TimerQueue(1);
        const model: { timer: number; time: number; order: number }[] = [];
        for (let i = 0; i < timers; i++) queue.create();
        const take = (): void => {
          model.sort((x, y) => x.time - y.time || x.order - y.order);
          queue.settle();
          expect(queue.firstTime).to.equal(model[0]?.time ?? Infinity);
          expect(queue.begin()).to.equal(model.shift()?.timer ?? -1);
        };
        commands.forEach(({ timer, time, take: wanted, settled }, order) => {
          queue.set(timer, time);
          const at = model.findIndex((entry) => entry.timer === timer);
          if (at < 0 || model[at]!.time !== time) {
            if (at >= 0) model.splice(at, 1);
            if (time !== Infinity) model.push({ timer, time, order });
          }
          if (wanted) take();
          if (settled) queue.settle();
          expect(queue.length).to.equal(model.length);
          expect(queue.timeOf(timer)).to.equal(model.find((entry) => entry.timer === timer)?.time ?? Infinity);
        });
        while (model.length > 0) take();
        take();
      }),
    );
  });
});

import { expect } from "chai";
import { monotonicMicroseconds } from "./clock.ts";
import { PreciseTimer } from "./precise-timer.ts";

/** When a timer fires that is set to each of these in turn, microseconds from now; and what it was set to last. */
async function firing(...times: number[]): Promise<{ fired: number; due: number }> {
  const start = monotonicMicroseconds();
  let timer: PreciseTimer | undefined;
  const fired = await new Promise<number>((resolve) => {
    timer = new PreciseTimer(() => resolve(monotonicMicroseconds()));
    for (const time of times) timer.set(start + time);
  });
  timer!.close();
  return { fired, due: start + times.at(-1)! };
}

describe("The precise timer", () => {
  for (const times of [[2_000], [1_000, 20_000], [1_000, Infinity, 20_000], [20_000, 1_000], [5_000, 1_000, 10_000]]) {
    it(`fires no sooner than it was set to last: ${times.join(", ")}`, async () => {
      const { fired, due } = await firing(...times);
      expect(fired).to.be.at.least(due);
    });
  }

  it("fires at once when the time is past", async () => {
    const { fired, due } = await firing(-5_000);
    expect(fired).to.be.at.least(due);
  });

  it("brings an earlier time before a later one", async () => {
    const order: string[] = [];
    await new Promise<void>((resolve) => {
      const later = new PreciseTimer(() => {
        order.push("later");
        for (const timer of [later, earlier]) timer.close();
        resolve();
      });
      const earlier = new PreciseTimer(() => order.push("earlier"));
      const now = monotonicMicroseconds();
      earlier.set(now + 60_000_000);
      later.set(now + 200_000);
      earlier.set(now + 1_000);
    });
    expect(order).to.deep.equal(["earlier", "later"]);
  });

  it("fires once for each time that it is set, and not after it was set to never", async () => {
    let fired = 0;
    const timer = new PreciseTimer(() => fired++);
    const now = monotonicMicroseconds();
    timer.set(now + 1_000);
    timer.set(Infinity);
    await firing(5_000);
    expect(fired).to.equal(0);
    timer.set(monotonicMicroseconds());
    await firing(5_000);
    await firing(5_000);
    timer.close();
    expect(fired).to.equal(1);
  });
});

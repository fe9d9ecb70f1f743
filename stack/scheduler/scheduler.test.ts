import { expect } from "chai";
import { schedulers } from "../host-algorithms.ts";
import type { SchedulerName } from "../host-options.ts";
import { bulkGoodput } from "../testing/bulk-transfer.ts";
import { Blest } from "./blest.ts";
import { EarliestCompletionFirst } from "./ecf.ts";
import { MinRtt } from "./min-rtt.ts";
import { Redundant } from "./redundant.ts";
import { RoundRobin } from "./round-robin.ts";
import { behavesAsScheduler } from "./scheduler.compliance.ts";
import { full, much, segment, subflow } from "./scheduler.fixture.ts";

for (const [name, make] of Object.entries(schedulers)) behavesAsScheduler(name, make);

const slow = { smoothedRttMicroseconds: 100_000 };
const fast = { smoothedRttMicroseconds: 10_000 };

describe("lowest RTT first", () => {
  it("takes the faster subflow as long as its window has room", () => {
    const scheduler = new MinRtt();
    expect(scheduler.select([subflow(0, slow), subflow(1, fast)], much)!.id).to.equal(1);
    expect(scheduler.select([subflow(0, slow), full(1, fast)], much)!.id).to.equal(0);
  });

  it("waits for the pacer of the faster subflow, unless there is more than its window takes", () => {
    const scheduler = new MinRtt();
    const subflows = [subflow(0, slow), full(1, { ...fast, pacedBytes: 5 * segment })];
    const demand = { ...much, pendingBytes: 5 * segment };
    expect(scheduler.select(subflows, demand)).to.equal(undefined);
    expect(scheduler.select(subflows, { ...demand, pendingBytes: 6 * segment })!.id).to.equal(0);
  });
});

describe("round-robin", () => {
  it("takes one after the other, and passes over who has no room", () => {
    const scheduler = new RoundRobin();
    const subflows = [subflow(0, slow), full(1), subflow(2, fast), subflow(5)];
    expect(Array.from({ length: 5 }, () => scheduler.select(subflows, much)!.id)).to.deep.equal([0, 2, 5, 0, 2]);
  });

  it("carries bulk as lowest RTT first does: windows decide (Paasch et al., CSWS'14; R9)", () => {
    const paths = [
      { megabitsPerSecond: 8, rttMilliseconds: 20, queueMilliseconds: 80, lossPercent: 0 },
      { megabitsPerSecond: 2, rttMilliseconds: 150, queueMilliseconds: 200, lossPercent: 0 },
    ];
    const goodput = (scheduler: SchedulerName): number =>
      bulkGoodput(paths, { bufferBytes: 1_000_000, seconds: 6, host: { scheduler } });
    expect(goodput("round-robin") / goodput("min-rtt")).to.be.within(0.95, 1.05);
  });
});

describe("redundant", () => {
  it("is as fast as the better path, and not faster", () => {
    const paths = [
      { megabitsPerSecond: 4, rttMilliseconds: 20, queueMilliseconds: 80, lossPercent: 0 },
      { megabitsPerSecond: 2, rttMilliseconds: 100, queueMilliseconds: 200, lossPercent: 0 },
    ];
    const transfer = { bufferBytes: 1_000_000, seconds: 6 };
    const redundant = bulkGoodput(paths, { ...transfer, host: { scheduler: "redundant" } });
    expect(redundant / bulkGoodput([paths[0]!], transfer)).to.be.within(0.93, 1.03);
  });

  it("asks every subflow that has room", () => {
    const scheduler = new Redundant();
    expect(scheduler.select([full(0, fast), subflow(1, slow)], much)!.id).to.equal(1);
  });
});

describe("BLEST", () => {
  // While a segment is on the slow path for 100 ms, the fast one sends (10 + (10 - 1) / 2) · 10 = 145 segments.
  it("uses the slow path when what the fast one sends meanwhile fits beside it", () => {
    const subflows = [full(0, fast), subflow(1, slow)];
    expect(new Blest().select(subflows, { ...much, windowBytes: 146 * segment })!.id).to.equal(1);
    expect(new Blest().select(subflows, { ...much, windowBytes: 145 * segment })).to.equal(undefined);
  });

  it("counts what is under way on the slow path already", () => {
    const subflows = [full(0, fast), subflow(1, { ...slow, bytesInFlight: 4 * segment })];
    expect(new Blest().select(subflows, { ...much, windowBytes: 150 * segment })!.id).to.equal(1);
    expect(new Blest().select(subflows, { ...much, windowBytes: 149 * segment })).to.equal(undefined);
  });

  it("becomes more careful when it was wrong, up to a bound", () => {
    const scheduler = new Blest();
    const subflows = [full(0, fast), subflow(1, slow)];
    for (let i = 0; i < 100; i++) {
      scheduler.onWindowBlocked();
      scheduler.select(subflows, much);
    }
    expect(scheduler.lambda).to.be.closeTo(1.3, 1e-9);
    expect(scheduler.select(subflows, { ...much, windowBytes: 160 * segment })).to.equal(undefined);
    for (let i = 0; i < 1_000; i++) scheduler.select(subflows, much);
    expect(scheduler.lambda).to.be.closeTo(1, 1e-9);
  });
});

describe("earliest completion first", () => {
  it("waits for the fast path when that is through sooner than one round of the slow one", () => {
    const subflows = [full(0, fast), subflow(1, slow)];
    // Through the fast one: (1 + 89 / 10) · 10 ms = 99 ms, against 100 ms.
    expect(new EarliestCompletionFirst().select(subflows, { ...much, pendingBytes: 89 * segment })).to.equal(undefined);
    expect(new EarliestCompletionFirst().select(subflows, { ...much, pendingBytes: 90 * segment })!.id).to.equal(1);
  });

  it("goes on waiting a quarter longer once it waits", () => {
    const scheduler = new EarliestCompletionFirst();
    const subflows = [full(0, fast), subflow(1, slow)];
    scheduler.select(subflows, { ...much, pendingBytes: 10 * segment });
    expect(scheduler.select(subflows, { ...much, pendingBytes: 114 * segment })).to.equal(undefined);
    expect(scheduler.select(subflows, { ...much, pendingBytes: 115 * segment })!.id).to.equal(1);
    expect(scheduler.select(subflows, { ...much, pendingBytes: 100 * segment })!.id).to.equal(1);
  });

  it("does not wait for a path that is hardly faster", () => {
    const subflows = [full(0, { smoothedRttMicroseconds: 60_000 }), subflow(1, slow)];
    expect(new EarliestCompletionFirst().select(subflows, { ...much, pendingBytes: segment })!.id).to.equal(1);
  });
});

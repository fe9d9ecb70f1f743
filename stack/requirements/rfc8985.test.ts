import { expect } from "chai";
import { RttEstimator } from "../tcp/rtt-estimator.ts";
import { mss, SenderBench } from "../tcp/sender.fixture.ts";
import { timer } from "../tcp/timers.ts";

const rtt = 100_000;
const minute = 60_000_000;

describe("the least round trip (RFC 8985 §6.2 step 1)", () => {
  it("is that of some minutes: a longer path is believed in the end, and a short one not forgotten at once", () => {
    const estimator = new RttEstimator();
    estimator.sample(10_000, 0);
    estimator.sample(50_000, 2 * minute);
    expect(estimator.minimum).to.equal(10_000);
    for (let at = 3; at <= 6; at++) estimator.sample(50_000, at * minute);
    expect(estimator.minimum).to.equal(50_000);
    estimator.sample(20_000, 7 * minute);
    expect(estimator.minimum).to.equal(20_000);
  });

  it("is not that of before a pause of many minutes", () => {
    const estimator = new RttEstimator();
    estimator.sample(10_000, 0);
    estimator.sample(50_000, 30 * minute);
    expect(estimator.minimum).to.equal(50_000);
  });
});

/** The last of five segments has been sent again as a probe. */
function probed(): SenderBench {
  const bench = new SenderBench({ sack: true });
  bench.send(5);
  bench.now = bench.timers.deadline(timer.lossProbe);
  bench.sender.handleProbeTimeout(bench.now);
  const range = bench.sender.lastForProbe(mss)!;
  bench.sender.noteTransmission(range, bench.now);
  bench.sender.noteProbe(range, bench.now);
  return bench;
}

describe("a retransmission that is acknowledged (RFC 8985 §6.2 step 2)", () => {
  it("sooner than the least round trip has not arrived, the original has: what was sent between the two is not late", () => {
    const bench = probed();
    bench.now += rtt / 10;
    bench.acknowledge(1, [[5, 5]]);
    expect(bench.events).to.deep.equal([]);
  });

  it("after a round trip has: what was sent before it is lost", () => {
    const bench = probed();
    bench.now += rtt;
    bench.acknowledge(1, [[5, 5]]);
    expect(bench.events).to.deep.equal(["fast-retransmit"]);
  });
});

describe("the reordering window (RFC 8985 §6.2 step 4)", () => {
  it("is never more than the smoothed round trip, however many duplicates are reported", () => {
    const bench = new SenderBench({ sack: true, window: 100 });
    let next = 1;
    for (let round = 0; round < 12; round++) {
      bench.send(4);
      bench.now += rtt;
      next += 4;
      bench.acknowledge(next, [[next - 1, next - 1]]);
    }
    bench.send(4);
    bench.now += rtt;
    bench.acknowledge(next, [[next + 1, next + 1]]);
    const { smoothed } = bench.sender.rtt;
    // From its round trip on, the hole is given the window.
    expect(bench.timers.deadline(timer.reordering) - bench.now).to.equal(smoothed);
  });
});

describe("a tail loss probe (RFC 8985 §7.2, §7.3)", () => {
  it("is not scheduled while something is reported by SACK", () => {
    const bench = new SenderBench({ sack: true });
    bench.send(5);
    expect(bench.timers.isSet(timer.lossProbe)).to.equal(true);
    bench.now += rtt;
    bench.acknowledge(2, [[4, 4]]);
    expect(bench.timers.isSet(timer.lossProbe)).to.equal(false);
  });

  it("leaves it to the retransmission timer where that expires first", () => {
    const bench = new SenderBench({ sack: true });
    // A round trip that never varies: the timeout is 200 ms, and a probe would be due after two round trips and 2 ms.
    for (let i = 0; i < 50; i++) bench.sender.rtt.sample(rtt, bench.now);
    bench.send(5);
    expect(bench.timers.isSet(timer.lossProbe)).to.equal(false);
    expect(bench.timers.deadline(timer.retransmission) - bench.now).to.be.closeTo(2 * rtt, 1);
  });

  it("is one at a time: no other is scheduled until it has been answered", () => {
    const bench = probed();
    expect(bench.timers.isSet(timer.lossProbe)).to.equal(false);
    bench.now += rtt;
    bench.acknowledge(3);
    expect(bench.timers.isSet(timer.lossProbe)).to.equal(false);
    bench.acknowledge(6);
    bench.send(2);
    bench.acknowledge(7);
    expect(bench.timers.isSet(timer.lossProbe)).to.equal(true);
  });
});

import { expect } from "chai";
import type { CongestionControl } from "./congestion-control.ts";
import { CoupledGroup, Lia } from "./lia.ts";
import { Reno } from "./reno.ts";
import { WindowCap } from "./window-cap.ts";

const mss = 1_000;

/** Acknowledges whole windows, one a round trip. */
function rounds(control: CongestionControl, count: number, rtt = 100_000): void {
  for (let i = 0; i < count; i++) {
    const window = Math.floor(control.congestionWindow / mss);
    for (let segment = 0; segment < window; segment++) control.onAcknowledged(mss, true, rtt, i * rtt);
  }
}

const implementations: [string, () => CongestionControl][] = [
  ["reno", () => new Reno()],
  ["lia alone", () => new Lia(new CoupledGroup())],
];

for (const [name, make] of implementations) {
  describe(`congestion control ${name}`, () => {
    const started = (): CongestionControl => {
      const control = make();
      control.setMaximumSegmentSize(mss);
      return control;
    };

    it("begins with ten segments (RFC 6928) and doubles each round trip", () => {
      const control = started();
      expect(control.congestionWindow).to.equal(10 * mss);
      rounds(control, 2);
      expect(control.congestionWindow).to.equal(40 * mss);
    });

    it("halves the window on loss, then adds one segment a round trip", () => {
      const control = started();
      rounds(control, 2);
      control.onLoss(control.congestionWindow);
      expect([control.congestionWindow, control.slowStartThreshold]).to.deep.equal([20 * mss, 20 * mss]);
      rounds(control, 10);
      expect(control.congestionWindow / mss).to.be.within(29.5, 30);
    });

    it("starts again from one segment on a timeout, and keeps the threshold when it repeats", () => {
      const control = started();
      control.onRetransmissionTimeout(control.congestionWindow, false);
      control.onRetransmissionTimeout(control.congestionWindow, true);
      expect([control.congestionWindow, control.slowStartThreshold]).to.deep.equal([mss, 5 * mss]);
    });

    it("takes a reduction back that was for nothing (RFC 4015 §3.2), but never shrinks by it", () => {
      const control = started();
      rounds(control, 2);
      control.onLoss(control.congestionWindow);
      control.undo();
      expect([control.congestionWindow, control.slowStartThreshold]).to.deep.equal([
        40 * mss,
        Number.POSITIVE_INFINITY,
      ]);
      rounds(control, 1);
      control.undo();
      expect(control.congestionWindow).to.equal(80 * mss);
    });

    it("does not grow while the application is the limit, and forgets an idle window", () => {
      const control = started();
      rounds(control, 2);
      for (let i = 0; i < 100; i++) control.onAcknowledged(mss, false, 100_000, 0);
      expect(control.congestionWindow).to.equal(40 * mss);
      control.onIdle();
      expect(control.congestionWindow).to.equal(10 * mss);
    });

    it("begins anew on a path that answers again after an outage", () => {
      const control = started();
      for (let timeout = 0; timeout < 5; timeout++)
        control.onRetransmissionTimeout(control.congestionWindow, timeout > 0);
      control.restart();
      expect([control.congestionWindow, control.slowStartThreshold]).to.deep.equal([
        10 * mss,
        Number.POSITIVE_INFINITY,
      ]);
      rounds(control, 2);
      expect(control.congestionWindow).to.equal(40 * mss);
    });
  });
}

describe("linked increases (RFC 6356)", () => {
  it("grow all subflows together no faster than one TCP on the best path", () => {
    const group = new CoupledGroup();
    const subflows = [new Lia(group), new Lia(group)];
    for (const subflow of subflows) {
      subflow.setMaximumSegmentSize(mss);
      subflow.limit(20 * mss);
      subflow.onLoss(subflow.congestionWindow);
    }
    const total = (): number => subflows.reduce((sum, subflow) => sum + subflow.congestionWindow, 0);
    const before = total();
    for (let round = 0; round < 20; round++) for (const subflow of subflows) rounds(subflow, 1);
    expect((total() - before) / mss).to.be.within(8, 20);
  });

  it("are those of RFC 5681 when the other subflow is inactive", () => {
    const group = new CoupledGroup();
    const [live, silent] = [new Lia(group), new Lia(group)];
    live.setMaximumSegmentSize(mss);
    silent.setMaximumSegmentSize(mss);
    live.onLoss(live.congestionWindow);
    silent.setActive(false);
    const before = live.congestionWindow;
    rounds(live, 10);
    expect((live.congestionWindow - before) / mss).to.be.within(9, 10);
  });
});

describe("window capping (NSDI'12 §4.2)", () => {
  /** A path of 250 bytes a millisecond and 150 ms: what is in flight beyond 37.5 kB waits in its queue. */
  function settle(active: boolean): Reno {
    const control = new Reno();
    const cap = new WindowCap();
    control.setMaximumSegmentSize(mss);
    cap.onRttSample(control, 150_000, 0, 0, active, 0);
    let now = 0;
    for (let acknowledged = 0; acknowledged < 3_000_000; acknowledged += mss) {
      const rtt = Math.max(150_000, control.congestionWindow * 4);
      now += Math.max(4_000, (150_000 * mss) / control.congestionWindow);
      control.onAcknowledged(mss, true, rtt, now);
      cap.onRttSample(control, rtt, acknowledged, acknowledged + control.congestionWindow, active, now);
    }
    return control;
  }

  it("holds the round trip near twice that of the empty path", () => {
    expect(settle(true).congestionWindow).to.be.within(60_000, 90_000);
  });

  it("does nothing while the subflow is alone", () => {
    expect(settle(false).congestionWindow).to.be.greaterThan(1_000_000);
  });
});

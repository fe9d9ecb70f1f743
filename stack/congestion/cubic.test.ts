import { expect } from "chai";
import { Cubic } from "./cubic.ts";

const mss = 1_000;

/** One window's acknowledgements in each round trip, spread over it; returns the window after each round, in segments. */
function rounds(control: Cubic, count: number, rtt: number, start: number, windowLimited = true): number[] {
  const windows: number[] = [];
  for (let round = 0; round < count; round++) {
    const segments = Math.floor(control.congestionWindow / mss);
    for (let i = 1; i <= segments; i++)
      control.onAcknowledged(mss, windowLimited, rtt, start + (round + i / segments) * rtt);
    windows.push(Math.round((control.congestionWindow / mss) * 10) / 10);
  }
  return windows;
}

/** In congestion avoidance after a loss with a window of `segments`. */
function afterLoss(segments: number): Cubic {
  const control = new Cubic();
  control.setMaximumSegmentSize(mss);
  control.congestionWindow = segments * mss;
  control.onLoss(control.congestionWindow);
  return control;
}

describe("CUBIC (RFC 9438)", () => {
  it("goes down to 0.7 of the window (§4.6)", () => {
    const control = afterLoss(1_000);
    expect([control.congestionWindow, control.slowStartThreshold]).to.deep.equal([700 * mss, 700 * mss]);
  });

  it("follows W_cubic(t) = C (t - K)³ + W_max (§4.2), flat at W_max", () => {
    const control = afterLoss(1_000);
    const rtt = 100_000;
    const windows = rounds(control, 120, rtt, 1_000_000);
    const inflection = Math.cbrt((1_000 - 700) / 0.4);
    const formula = windows.map((_, round) => 0.4 * ((round + 1) / 10 - inflection) ** 3 + 1_000);
    for (const [round, window] of windows.entries())
      expect(window).to.be.closeTo(formula[round]!, 12, `round ${round}`);
    // The window at the end of each second.
    expect(windows.filter((_, round) => round % 10 === 9)).to.deep.equal(snapshot);
  });

  it("grows as Reno where that is faster: short round trips, small windows (§4.3)", () => {
    const control = afterLoss(20);
    const windows = rounds(control, 20, 10_000, 1_000_000);
    // alpha = 3 · 0.3 / 1.7 of a segment a round trip, until it is what it was before; then one.
    expect(windows[9]! - 14).to.be.within(4.5, 5.6);
    expect(windows[19]! - windows[14]!).to.be.within(3.5, 5.1);
  });

  it("releases bandwidth when it was reduced below its last maximum: fast convergence (§4.7)", () => {
    const control = afterLoss(1_000);
    control.onLoss(control.congestionWindow);
    // W_max is 700 · 0.85 = 595: the plateau, from 490.
    const windows = rounds(control, 64, 100_000, 1_000_000);
    expect(windows.at(-1)).to.be.closeTo(595, 3);
  });

  it("does not open the window for time in which the application was the limit (§5.8)", () => {
    const control = afterLoss(1_000);
    const [before] = rounds(control, 1, 100_000, 1_000_000);
    rounds(control, 50, 100_000, 1_100_000, false);
    const [after] = rounds(control, 1, 100_000, 6_100_000);
    expect(after! - before!).to.be.lessThan(35);
  });

  it("grows at most by half in a round trip (§4.2)", () => {
    const control = afterLoss(10);
    control.onAcknowledged(mss, true, 100_000, 1_000_000);
    const before = control.congestionWindow;
    rounds(control, 1, 10_000_000, 100_000_000);
    expect(control.congestionWindow).to.be.at.most(1.7 * before);
  });
});

describe("HyStart++ (RFC 9406)", () => {
  /** Slow start in which each round's RTT is `rttOf(round)`; whether it has ended after each round. */
  function slowStart(count: number, rttOf: (round: number) => number): { windows: number[]; ended: boolean } {
    const control = new Cubic();
    control.setMaximumSegmentSize(mss);
    const windows: number[] = [];
    let acknowledged = 0;
    let sendNext = 10 * mss;
    for (let round = 0; round < count; round++) {
      const end = sendNext;
      while (acknowledged < end) {
        acknowledged += mss;
        control.onRttSample(rttOf(round), acknowledged, acknowledged + control.congestionWindow);
        control.onAcknowledged(mss, true, rttOf(round), round * 100_000);
        sendNext = acknowledged + control.congestionWindow;
      }
      windows.push(Math.round(control.congestionWindow / mss));
    }
    return { windows, ended: control.slowStartThreshold !== Number.POSITIVE_INFINITY };
  }

  it("doubles while the round trip stays", () => {
    const { windows, ended } = slowStart(5, () => 40_000);
    expect([windows, ended]).to.deep.equal([[20, 40, 80, 160, 320], false]);
  });

  it("grows by a quarter once it has risen, and ends after five such rounds (§4.2)", () => {
    const { windows, ended } = slowStart(12, (round) => 40_000 + Math.max(0, round - 2) * 6_000);
    expect(ended).to.equal(true);
    expect(windows[3]! / windows[2]!).to.be.lessThan(1.6);
    expect(windows.at(-1)).to.be.lessThan(500);
  });

  it("goes back to doubling when the round trip falls again: the rise was jitter", () => {
    const { windows, ended } = slowStart(6, (round) => (round === 2 ? 60_000 : 40_000));
    expect(ended).to.equal(false);
    expect(windows[5]! / windows[4]!).to.be.greaterThan(1.8);
  });
});

/** Segments; changes only with the formula. */
const snapshot = [788.4, 857.6, 909.8, 947.3, 972.7, 988.2, 996.3, 999.5, 1000, 1000.3, 1002.8, 1009.9];

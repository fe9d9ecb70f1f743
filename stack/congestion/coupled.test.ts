import { expect } from "chai";
import { congestionControls } from "../host-algorithms.ts";
import type { CongestionControlName } from "../host-options.ts";
import type { CongestionControl } from "./congestion-control.ts";
import { CoupledGroup } from "./coupled.ts";
import { Olia } from "./olia.ts";

const mss = 1_000;

interface Path {
  /** Segments. */
  window: number;
  rttMilliseconds: number;
}

/** Subflows in congestion avoidance with the windows and round trips of `paths`. */
function subflows(name: CongestionControlName, paths: readonly Path[]): CongestionControl[] {
  const group = new CoupledGroup();
  return paths.map(({ window, rttMilliseconds }) => {
    const control = congestionControls[name](group);
    control.setMaximumSegmentSize(mss);
    control.onAcknowledged(window * mss - control.congestionWindow, true, rttMilliseconds * 1_000, 0);
    control.limit(window * mss);
    if (control.slowStartThreshold === Number.POSITIVE_INFINITY) control.limit(window * mss - 1);
    return control;
  });
}

/** By how many segments the first subflow's window grows for one segment acknowledged. */
function increase(name: CongestionControlName, paths: readonly Path[]): number {
  const [first] = subflows(name, paths);
  const before = first!.congestionWindow;
  first!.onAcknowledged(mss, true, paths[0]!.rttMilliseconds * 1_000, 0);
  return (first!.congestionWindow - before) / mss;
}

/** What is left of the first subflow's window after a loss, as a share. */
function left(name: CongestionControlName, paths: readonly Path[]): number {
  const [first] = subflows(name, paths);
  const before = first!.congestionWindow;
  first!.onLoss(before);
  return first!.congestionWindow / before;
}

const cases: readonly (readonly Path[])[] = [
  [
    { window: 20, rttMilliseconds: 100 },
    { window: 20, rttMilliseconds: 100 },
  ],
  [
    { window: 20, rttMilliseconds: 20 },
    { window: 40, rttMilliseconds: 150 },
  ],
  [
    { window: 40, rttMilliseconds: 150 },
    { window: 20, rttMilliseconds: 20 },
  ],
  [
    { window: 12, rttMilliseconds: 30 },
    { window: 100, rttMilliseconds: 30 },
    { window: 50, rttMilliseconds: 300 },
  ],
];

const sum = (numbers: readonly number[]): number => numbers.reduce((total, number) => total + number, 0);
const rate = ({ window, rttMilliseconds }: Path): number => window / rttMilliseconds;

/** The published formulas, for a segment acknowledged on the first path; windows in segments. */
const formulas: Partial<Record<CongestionControlName, (paths: readonly Path[]) => number>> = {
  lia: (paths) => {
    const total = sum(paths.map(({ window }) => window));
    const best = Math.max(...paths.map(({ window, rttMilliseconds }) => window / rttMilliseconds ** 2));
    const alpha = (total * best) / sum(paths.map(rate)) ** 2;
    return Math.min(alpha / total, 1 / paths[0]!.window);
  },
  balia: (paths) => {
    const own = rate(paths[0]!);
    const alpha = Math.max(...paths.map(rate)) / own;
    return (own / paths[0]!.rttMilliseconds / sum(paths.map(rate)) ** 2) * ((1 + alpha) / 2) * ((4 + alpha) / 5);
  },
  ewtcp: (paths) => 1 / paths.length ** 2 / paths[0]!.window,
  "fully-coupled": (paths) => 1 / sum(paths.map(({ window }) => window)),
};

describe("coupled congestion avoidance, for each acknowledgement", () => {
  for (const [name, formula] of Object.entries(formulas)) {
    for (const paths of cases) {
      const described = paths.map(({ window, rttMilliseconds }) => `${window} in ${rttMilliseconds} ms`).join(", ");
      it(`${name} grows by its formula: ${described}`, () => {
        const grown = increase(name as CongestionControlName, paths);
        expect(grown / formula(paths)).to.be.closeTo(1, 1e-3);
      });
    }
  }

  it("LIA never grows faster than one TCP on the same path (RFC 6356 §3)", () => {
    for (const paths of cases) expect(increase("lia", paths)).to.be.at.most(1.0001 / paths[0]!.window);
  });
});

describe("OLIA's alpha (draft-khalili-mptcp-congestion-control-05 §2.3)", () => {
  /** Two subflows in 100 ms: windows in segments, and the segments that each has got through since its last loss. */
  function pair(windows: [number, number], sinceLoss: [number, number]): [Olia, Olia] {
    const group = new CoupledGroup();
    const controls: [Olia, Olia] = [new Olia(group), new Olia(group)];
    controls.forEach((control, i) => {
      control.setMaximumSegmentSize(mss);
      control.onAcknowledged(sinceLoss[i]! * mss, false, 100_000, 0);
      control.congestionWindow = windows[i]! * mss;
      control.slowStartThreshold = windows[i]! * mss;
    });
    return controls;
  }

  it("gives to the best path what it takes from the one with the largest window", () => {
    const [best, largest] = pair([10, 30], [500, 100]);
    expect([best.alpha, largest.alpha]).to.deep.equal([0.5, -0.5]);
    const before = best.congestionWindow;
    best.onAcknowledged(mss, true, 100_000, 0);
    // 10 / 40² + 0.5 / 10.
    expect((best.congestionWindow - before) / mss).to.be.closeTo(10 / 40 ** 2 + 0.05, 1e-9);
  });

  it("is 0 where the best path has the largest window already", () => {
    const [best, other] = pair([30, 10], [500, 100]);
    expect([best.alpha, other.alpha]).to.deep.equal([0, 0]);
    const before = other.congestionWindow;
    other.onAcknowledged(mss, true, 100_000, 0);
    expect((other.congestionWindow - before) / mss).to.be.closeTo(10 / 40 ** 2, 1e-9);
  });

  it("goes by the better of the latest two intervals between losses", () => {
    const [first, second] = pair([10, 30], [500, 100]);
    first.onLoss(first.congestionWindow);
    second.onAcknowledged(200 * mss, false, 100_000, 0);
    expect(first.quality).to.be.greaterThan(second.quality);
    second.onAcknowledged(300 * mss, false, 100_000, 0);
    expect(second.quality).to.be.greaterThan(first.quality);
  });
});

describe("decreases on a loss", () => {
  const slower = { window: 10, rttMilliseconds: 100 };
  const faster = { window: 40, rttMilliseconds: 100 };

  it("of BALIA are a half on the fastest path, three quarters on one that is much slower", () => {
    expect(left("balia", [faster, slower])).to.be.closeTo(0.5, 0.001);
    expect(left("balia", [slower, faster])).to.be.closeTo(0.25, 0.001);
    // alpha = 30 / 25.
    expect(
      left("balia", [
        { ...slower, window: 25 },
        { ...slower, window: 30 },
      ]),
    ).to.be.closeTo(0.4, 0.001);
  });

  it("of the fully coupled algorithm are half of all windows, down to one segment", () => {
    expect(left("fully-coupled", [faster, slower])).to.be.closeTo(15 / 40, 0.001);
    expect(left("fully-coupled", [slower, faster])).to.be.closeTo(0.1, 0.001);
  });

  it("of the others are halves", () => {
    for (const name of ["lia", "olia", "ewtcp", "wvegas"] as const)
      expect(left(name, [slower, faster])).to.be.closeTo(0.5, 0.001);
  });
});

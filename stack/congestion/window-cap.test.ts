import { expect } from "chai";
import { initialWindow } from "./congestion-control.ts";
import { Reno } from "./reno.ts";
import { WindowCap } from "./window-cap.ts";

const mss = 1428;

/** A subflow that is acknowledged `rate` bytes a microsecond, one round trip after the other. */
class Rounds {
  readonly cap: WindowCap = new WindowCap();
  readonly congestion: Reno = new Reno();
  #now = 0;
  #acknowledged = 0;

  constructor(window: number) {
    this.congestion.setMaximumSegmentSize(mss);
    this.congestion.congestionWindow = window;
    this.congestion.slowStartThreshold = window;
  }

  /** `elapsed` of each round and its RTT may differ: a host that pauses lengthens the round, a queue lengthens both. */
  round(rttMicroseconds: number, elapsedMicroseconds: number, bytes: number): void {
    this.#now += elapsedMicroseconds;
    this.#acknowledged += bytes;
    this.cap.onRttSample(
      this.congestion,
      rttMicroseconds,
      this.#acknowledged,
      this.#acknowledged + bytes,
      true,
      initialWindow(mss),
      this.#now,
    );
  }
}

describe("window capping (NSDI'12 §4.2, M4)", () => {
  it("caps a deep queue at what the path delivers in twice its base RTT", () => {
    // 2 Mbit/s is 0.25 bytes a microsecond; the base RTT is 150 ms.
    const rounds = new Rounds(400_000);
    rounds.round(150_000, 150_000, 37_500);
    rounds.round(1_500_000, 1_500_000, 375_000);
    expect(rounds.congestion.congestionWindow).to.be.closeTo(75_000, 1000);
  });

  it("leaves a queue of 80 ms on a path of 20 ms alone: the path's own buffer bounds it", () => {
    const rounds = new Rounds(100_000);
    rounds.round(20_000, 20_000, 20_000);
    for (let i = 0; i < 20; i++) rounds.round(100_000, 100_000, 100_000);
    expect(rounds.congestion.congestionWindow).to.equal(100_000);
  });

  it("is not fooled by rounds in which a host paused: they are slow, the path is not", () => {
    const rounds = new Rounds(100_000);
    rounds.round(20_000, 20_000, 20_000);
    for (let i = 0; i < 4; i++) rounds.round(100_000, 100_000, 100_000);
    // 300 ms in which next to nothing was sent: capping by that round alone would leave less than two segments.
    rounds.round(200_000, 300_000, 5_000);
    expect(rounds.congestion.congestionWindow).to.equal(100_000);
  });

  it("leaves the window of a new connection to a host that its processor keeps waiting", () => {
    const rounds = new Rounds(100_000);
    rounds.round(2_000, 2_000, 100_000);
    for (let i = 0; i < 50; i++) {
      const delay = i % 2 === 0 ? 500_000 : 1_000_000;
      rounds.round(delay, delay, rounds.congestion.congestionWindow);
    }
    expect(rounds.congestion.congestionWindow).to.be.at.least(initialWindow(mss));
    // What it takes for the path's own by now is a delay that it has seen, so the window may grow again.
    expect(rounds.cap.baseRttMicroseconds).to.be.at.least(500_000);
  });
});

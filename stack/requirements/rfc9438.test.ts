import { expect } from "chai";
import { Cubic } from "../congestion/cubic.ts";

const mss = 1_000;

function withWindow(segments: number): Cubic {
  const control = new Cubic();
  control.setMaximumSegmentSize(mss);
  control.congestionWindow = segments * mss;
  return control;
}

describe("CUBIC beside its curve (RFC 9438)", () => {
  it("goes down to one segment on a timeout, with the threshold at 0.7 of the window (§4.8)", () => {
    const control = withWindow(100);
    control.onRetransmissionTimeout(100 * mss, false);
    expect([control.congestionWindow, control.slowStartThreshold]).to.deep.equal([mss, 70 * mss]);
  });

  it("takes a reduction back that was for nothing (§4.9)", () => {
    const control = withWindow(100);
    control.onLoss(100 * mss);
    control.undo();
    expect([control.congestionWindow, control.slowStartThreshold]).to.deep.equal([100 * mss, Number.POSITIVE_INFINITY]);
  });
});

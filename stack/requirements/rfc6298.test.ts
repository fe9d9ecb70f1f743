import { expect } from "chai";
import { RttEstimator } from "../tcp/rtt-estimator.ts";

const second = 1_000_000;

describe("the retransmission timeout (RFC 6298)", () => {
  it("is SRTT + 4 · RTTVAR of the first measurement, three times it (§2.2)", () => {
    const rtt = new RttEstimator();
    expect(rtt.timeout).to.equal(second);
    rtt.sample(400_000, 0);
    expect([rtt.smoothed, rtt.variation, rtt.timeout]).to.deep.equal([400_000, 200_000, 1_200_000]);
  });

  it("follows later ones by 1/4 of the difference for RTTVAR, then by 1/8 for SRTT (§2.3)", () => {
    const rtt = new RttEstimator();
    rtt.sample(400_000, 0);
    rtt.sample(480_000, 0);
    expect([rtt.smoothed, rtt.variation, rtt.timeout]).to.deep.equal([410_000, 170_000, 1_090_000]);
  });

  it("doubles when the timer expires, up to a minute (§5.5)", () => {
    const rtt = new RttEstimator();
    rtt.sample(400_000, 0);
    const timeouts = Array.from({ length: 8 }, () => {
      rtt.backOff();
      return rtt.timeout / second;
    });
    expect(timeouts).to.deep.equal([2.4, 4.8, 9.6, 19.2, 38.4, 60, 60, 60]);
  });
});

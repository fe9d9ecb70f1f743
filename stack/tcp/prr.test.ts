import { expect } from "chai";
import { ProportionalRateReduction } from "./prr.ts";

const mss = 1_000;

/** Acknowledgements of one segment each; sends all that is allowed. Returns the segments sent for each. */
function sentPerAck(flight: number, lost: number, threshold: number, acks: number): number[] {
  const reduction = new ProportionalRateReduction(undefined);
  reduction.begin(flight * mss, flight * mss, threshold * mss, 0);
  let pipe = flight - lost;
  return Array.from({ length: acks }, () => {
    pipe--;
    reduction.onAcknowledged(mss, pipe * mss, threshold * mss, mss, 0);
    const sent = Math.floor(reduction.allowance / mss);
    reduction.onSent(sent * mss);
    pipe += sent;
    return sent;
  });
}

describe("proportional rate reduction (RFC 6937)", () => {
  it("sends one segment for two that arrive while more than half is in flight (§3.1)", () => {
    const sent = sentPerAck(20, 1, 10, 18);
    expect(sent[0]).to.equal(1);
    expect(sent.reduce((sum, n) => sum + n, 0)).to.be.within(9, 10);
    expect(Math.max(...sent)).to.equal(1);
  });

  it("grows back to the threshold as slow start does after heavy loss, not by a burst (§3.1, SSRB)", () => {
    const sent = sentPerAck(20, 16, 10, 4);
    expect(Math.max(...sent)).to.be.at.most(2);
    expect(sent.reduce((sum, n) => sum + n, 0)).to.be.within(6, 8);
  });
});

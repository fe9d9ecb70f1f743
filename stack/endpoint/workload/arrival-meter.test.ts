import { expect } from "chai";
import { ArrivalMeter } from "./arrival-meter.ts";

describe("ArrivalMeter", () => {
  it("finds the longest silence and where it began", () => {
    const meter = new ArrivalMeter();
    for (const at of [1000, 1010, 1500, 1600, 1900]) meter.arrived(10, at);
    expect(meter.longestGapMicroseconds).to.equal(490);
    expect(meter.longestGapAt).to.equal(1010);
    expect([meter.firstAt, meter.lastAt, meter.bytes]).to.deep.equal([1000, 1900, 50]);
  });

  it("has no gap before the second arrival: waiting for the first byte is not a gap", () => {
    const meter = new ArrivalMeter();
    meter.arrived(10, 700);
    expect(meter.longestGapMicroseconds).to.equal(0);
    expect(meter.longestGapAt).to.equal(700);
  });

  it("reports every byte as progress exactly once", () => {
    const meter = new ArrivalMeter();
    meter.arrived(10, 1);
    meter.arrived(5, 2);
    expect(meter.takeProgress()).to.equal(15);
    expect(meter.takeProgress()).to.equal(0);
    meter.arrived(1, 3);
    expect(meter.takeProgress()).to.equal(1);
  });
});

import { expect } from "chai";
import { fairness, measureTraffic } from "./measure-traffic.ts";
import type { WorkloadMeasurements } from "./measure-workload.ts";

const flow = (
  name: string,
  goodput: number | undefined,
  intact: boolean,
): { name: string; measured: WorkloadMeasurements } => ({
  name,
  measured: {
    ...(goodput !== undefined && { goodputBitsPerSecond: { value: goodput, witness: "application" } }),
    intact: { value: intact, witness: "SHA-256 of the bytes" },
    ...(!intact && { damage: "3 of 5 bytes arrived" }),
    completionMicroseconds: { value: 5, witness: "application" },
  },
});

describe("Jain's index", () => {
  it("is 1 where all get the same, and 1/n where one gets everything", () => {
    expect(fairness([3, 3, 3, 3])).to.equal(1);
    expect(fairness([7, 0, 0, 0])).to.equal(0.25);
    expect(fairness([1, 2])).to.be.closeTo(0.9, 1e-12);
    expect(fairness([0, 0])).to.equal(1);
  });
});

describe("what is measured of traffic", () => {
  it("counts a flow that got nothing", () => {
    const measured = measureTraffic([flow("a", 8, true), flow("b", undefined, false)]);
    expect(measured.meanGoodputBitsPerSecond?.value).to.equal(4);
    expect(measured.leastGoodputBitsPerSecond?.value).to.equal(0);
    expect(measured.intact?.value).to.equal(false);
    expect(measured.damage).to.equal("1 flow of 2 damaged, b: 3 of 5 bytes arrived");
  });

  it("knows nothing of traffic without a flow", () => {
    expect(measureTraffic([])).to.deep.equal({});
  });
});

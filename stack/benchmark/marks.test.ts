import { expect } from "chai";
import { coupled, kernelMptcp, oursToOurs, shaped } from "./conditions.ts";
import { judgeShaped, judgeThroughput, reportMarks } from "./marks.ts";
import type { FillShare } from "./shaped-throughput.ts";
import type { Throughput } from "./throughput.ts";

const reaching = (...gigabits: number[]): Throughput[] =>
  gigabits.map((gigabitsPerSecond) => ({
    gigabitsPerSecond,
    packetsPerSecond: 0,
    bytesPerPacket: 0,
    senderSecondsPerGigabyte: 0,
    receiverSecondsPerGigabyte: 0,
    machineSecondsPerGigabyte: 0,
    interruptSecondsPerGigabyte: 0,
  }));

function verdicts(offload: boolean, ...ours: number[]): string[] {
  return ours.map((gigabits) => {
    const samples = {
      [oursToOurs.name]: reaching(gigabits, gigabits, 0.01),
      [kernelMptcp.name]: reaching(10, 10, 10),
    };
    return judgeThroughput([{ condition: { paths: 1, offload }, samples }])[0]!.verdict;
  });
}

describe("the marks", () => {
  it("with offload are 1 and, as floor, 0.8 of the kernel", () => {
    expect(verdicts(true, 10, 9.9, 8, 7.9)).to.deep.equal(["met", "not met", "not met", "below the floor"]);
  });

  it("with packets of 1500 bytes are 0.5 and 0.4", () => {
    expect(verdicts(false, 5, 4.9, 4, 3.9)).to.deep.equal(["met", "not met", "not met", "below the floor"]);
  });

  it("of shaped links are 95 % of what they carry, uncoupled and coupled, without a floor", () => {
    const filling = (share: number): FillShare[] => reaching(1).map((sample) => ({ ...sample, share }));
    const samples = { [oursToOurs.name]: filling(0.96), [coupled.name]: filling(0.2), [kernelMptcp.name]: filling(1) };
    const marks = judgeShaped([{ condition: shaped, samples }]);
    expect(marks.map(({ verdict }) => verdict)).to.deep.equal(["met", "not met"]);
    expect(reportMarks(marks).split("\n")[1]).to.equal(
      "- 2 paths of 1 Gbit/s, 64 KiB: ours → ours, LIA, of what the links carry: 0.20; mark 0.95: not met",
    );
  });
});

import { expect } from "chai";
import { RequestSchedule } from "./request-schedule.ts";

const options = { intervalMicroseconds: 100, count: 3, responseBytes: 10 };

describe("RequestSchedule", () => {
  it("does not wait for responses: each request is due at its own time", () => {
    const schedule = new RequestSchedule(options, 1000);
    expect(schedule.takeRequest(999)).to.equal(undefined);
    expect(schedule.takeRequest(1000)).to.equal(0);
    expect(schedule.pollTimeout()).to.equal(1100);
    expect([schedule.takeRequest(1250), schedule.takeRequest(1250), schedule.takeRequest(1250)]).to.deep.equal([
      1,
      2,
      undefined,
    ]);
    expect(schedule.allSent).to.equal(true);
    expect(schedule.pollTimeout()).to.equal(Infinity);
  });

  it("matches responses in order, across cut and merged arrivals, and counts latency from when the request was due", () => {
    const schedule = new RequestSchedule(options, 1000);
    schedule.takeRequest(1000);
    schedule.responseArrived(4, 1020);
    schedule.responseArrived(6, 1030);
    schedule.takeRequest(1150);
    schedule.takeRequest(1200);
    schedule.responseArrived(20, 1500);
    expect(schedule.latenciesMicroseconds).to.deep.equal([30, 400, 300]);
    expect(schedule.responses).to.equal(3);
    expect([schedule.longestGapMicroseconds, schedule.longestGapAt]).to.deep.equal([470, 1030]);
  });

  it("refuses more response than was asked for", () => {
    const schedule = new RequestSchedule(options, 0);
    schedule.takeRequest(0);
    expect(() => schedule.responseArrived(11, 5)).to.throw(RangeError, "11 response bytes for 1 requests of 10");
  });
});

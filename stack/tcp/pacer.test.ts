import { expect } from "chai";
import { bulkGoodput } from "../testing/bulk-transfer.ts";
import { Pacer } from "./pacer.ts";
import { TimerTable } from "./timers.ts";

const mss = 1_000;

/** When each of `count` segments leaves, in milliseconds, if the sender asks as soon as the pacer's time has come. */
function departures(pacer: Pacer, count: number): number[] {
  let now = 10_000;
  return Array.from({ length: count }, () => {
    if (pacer.burst(mss, now) === 0) now = pacer.nextAt;
    pacer.onSent(mss, now);
    return Math.round(now - 10_000) / 1_000;
  });
}

function pacerAt(window: number, threshold: number, rtt: number): Pacer {
  const pacer = new Pacer(new TimerTable(), undefined);
  pacer.enabled = true;
  pacer.update(window, threshold, rtt, 10_000);
  pacer.nextAt = 10_000;
  return pacer;
}

describe("pacing (RFC 9002 §7.7)", () => {
  it("spreads a window over half of the round trip in slow start, over 5/6 of it afterwards", () => {
    expect(departures(pacerAt(10 * mss, Number.POSITIVE_INFINITY, 100_000), 11).at(-1)).to.equal(50);
    expect(departures(pacerAt(10 * mss, 10 * mss, 100_000), 11).at(-1)).to.be.closeTo(83.3, 0.1);
  });

  it("lets a millisecond's worth go at once where segments are shorter than that", () => {
    const times = departures(pacerAt(500 * mss, 500 * mss, 100_000), 13);
    expect(times).to.deep.equal([0, 0, 0, 0, 0, 0, 0, 1.167, 1.167, 1.167, 1.167, 1.167, 1.167]);
  });

  it("makes up for a timer that is late, but not for a pause", () => {
    const pacer = pacerAt(500 * mss, 500 * mss, 100_000);
    expect(pacer.burst(mss, 11_000)).to.be.closeTo(12 * mss, 1);
    expect(pacer.burst(mss, 1_000_000)).to.be.closeTo(18 * mss, 1);
  });

  it("makes up for all of the time for which what it held back had to wait", () => {
    const pacer = pacerAt(500 * mss, 500 * mss, 100_000);
    pacer.onSent(60 * mss, 10_000);
    expect(pacer.burst(mss, 10_000)).to.equal(0);
    const late = 50_000;
    const now = pacer.nextAt + late;
    pacer.noteLateness(late);
    expect(pacer.burst(mss, now)).to.be.closeTo((late + 1_000) * 6, 1);
    pacer.onSent(100 * mss, now);
    expect(pacer.burst(mss, now)).to.be.closeTo((late + 1_000) * 6 - 100 * mss, 1);
    pacer.onSent(200 * mss, now);
    expect(pacer.burst(mss, now)).to.be.closeTo(6 * mss, 1);
    expect(pacer.burst(mss, now + 1_000_000)).to.be.closeTo(18 * mss, 1);
  });

  it("fills a path with a queue of a tenth of its round trip better than bursts do", () => {
    const path = { megabitsPerSecond: 50, rttMilliseconds: 40, queueMilliseconds: 4, lossPercent: 0 };
    const goodput = (pacing: boolean): number =>
      bulkGoodput([path], { bufferBytes: 2_000_000, seconds: 5, host: { tcp: { pacing } } });
    expect(goodput(true)).to.be.greaterThan(1.1 * goodput(false));
  });
});

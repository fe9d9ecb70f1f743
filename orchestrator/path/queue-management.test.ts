import { expect } from "chai";
import { CoDel } from "./codel.ts";
import { LinkDirection, type LinkDirectionConfig } from "./link-direction.ts";
import { RandomStream } from "./random.ts";
import { Red } from "./red.ts";

const millisecond = 1000;
const second = 1_000_000;

describe("CoDel (RFC 8289)", () => {
  const long = 100_000;

  it("drops nothing that waits less than the target, nor what is the only one, nor before an interval has passed", () => {
    const codel = new CoDel(5 * millisecond, 100 * millisecond);
    for (let now = 0; now < second; now += millisecond) expect(codel.dropsDeparture(long, 4_999, now)).to.equal(false);
    for (let now = 0; now < second; now += millisecond) expect(codel.dropsDeparture(1_000, 9_999, now)).to.equal(false);
    const other = new CoDel(5 * millisecond, 100 * millisecond);
    for (let now = 0; now < 100 * millisecond; now += millisecond)
      expect(other.dropsDeparture(long, 9_999, now)).to.equal(false);
    expect(other.dropsDeparture(long, 9_999, 100 * millisecond)).to.equal(true);
  });

  it("drops ever sooner while packets wait too long: each time the interval by the square root of their number", () => {
    const codel = new CoDel(5 * millisecond, 100 * millisecond);
    const drops: number[] = [];
    for (let now = 0; now < 600 * millisecond; now += 100) if (codel.dropsDeparture(long, 50_000, now)) drops.push(now);
    const expected = [100, 200];
    for (let count = 2; expected.at(-1)! < 600; count++) expected.push(expected.at(-1)! + 100 / Math.sqrt(count));
    expect(drops.length).to.be.within(expected.length - 2, expected.length);
    drops.forEach((at, index) => expect(at / millisecond).to.be.closeTo(expected[index]!, 1));
  });

  it("stops at once when a packet has waited less, and goes on where it was when that was short", () => {
    const codel = new CoDel(5 * millisecond, 100 * millisecond);
    const dropsFrom = (begin: number, end: number): number => {
      let drops = 0;
      for (let now = begin; now < end; now += 100) if (codel.dropsDeparture(long, 50_000, now)) drops++;
      return drops;
    };
    const first = dropsFrom(0, second);
    expect(codel.dropsDeparture(long, 100, second)).to.equal(false);
    // The interval passes anew, and the first gaps are shorter than they were at the very beginning.
    expect(dropsFrom(second, second + 99 * millisecond)).to.equal(0);
    expect(dropsFrom(second + 99 * millisecond, 1.5 * second)).to.be.above(first / 2);
  });
});

describe("RED (Floyd and Jacobson)", () => {
  const parameters = { leastBytes: 30_000, mostBytes: 90_000, probability: 0.1, weight: 0.002 };
  const red = (): Red => new Red(parameters, 8e6, new RandomStream(1));

  it("drops nothing while the average is short, and everything while it is long", () => {
    const short = red();
    for (let now = 0; now < 5_000; now++) expect(short.dropsArrival(29_000, now)).to.equal(false);
    const long = red();
    let drops = 0;
    for (let now = 0; now < 5_000; now++) if (long.dropsArrival(95_000, now)) drops++;
    expect(long.dropsArrival(95_000, 5_000)).to.equal(true);
    expect(drops).to.be.above(2_000);
  });

  it("in between drops twice the share of the line at that length, in gaps that are spread evenly", () => {
    const half = red();
    const gaps: number[] = [];
    let since = 0;
    for (let now = 0; now < 60_000; now++) {
      since++;
      if (!half.dropsArrival(60_000, now)) continue;
      gaps.push(since);
      since = 0;
    }
    // Uniform between 1 and 1/p with p = 5 %: none is longer than 21, and the mean is 10.5.
    const settled = gaps.slice(200);
    expect(Math.max(...settled)).to.be.at.most(21);
    expect(settled.reduce((sum, gap) => sum + gap, 0) / settled.length).to.be.closeTo(10.5, 0.7);
  });

  it("forgets while the queue is idle, as fast as packets could have been sent", () => {
    const idle = red();
    for (let now = 0; now < 5_000; now++) idle.dropsArrival(95_000, now);
    idle.dropsDeparture(0, 0, 5_000);
    expect(idle.dropsArrival(0, 5_000 + 2 * second)).to.equal(false);
  });
});

describe("a link with a managed queue", () => {
  /** 20 % more than the link takes, for ten seconds; the longest that one of the last second's packets waited. */
  function waits(config: Partial<LinkDirectionConfig>): { longest: number; dropped: number } {
    const sentAt = new Map<object, number>();
    let longest = 0;
    let dropped = 0;
    const link = new LinkDirection<{ bytes: number }>(
      { rateBitsPerSecond: 8e6, queue: { bytes: 1e6 }, seed: 1, ...config },
      (packet, time) => {
        if (time > 9 * second) longest = Math.max(longest, time - sentAt.get(packet)!);
      },
      () => dropped++,
    );
    for (let now = 0; now < 10 * second; now += 833) {
      const packet = { bytes: 1000 };
      sentAt.set(packet, now);
      link.push(packet, now);
      link.advance(now);
    }
    return { longest, dropped };
  }

  it("fills to the end without, and is short with CoDel or RED, which drop about what is too much", () => {
    const tail = waits({});
    const codel = waits({
      queueManagement: { kind: "codel", targetMicroseconds: 5_000, intervalMicroseconds: 20_000 },
    });
    const red = waits({
      queueManagement: { kind: "red", leastBytes: 30_000, mostBytes: 90_000, probability: 0.2, weight: 0.002 },
    });
    expect(tail.longest).to.be.above(900_000);
    expect(red.longest).to.be.below(130_000);
    expect(codel.longest).to.be.below(tail.longest / 2);
    expect(red.dropped).to.be.within(1_500, 2_600);
    expect(codel.dropped).to.be.above(tail.dropped);
  });
});

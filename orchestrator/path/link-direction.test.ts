import { expect } from "chai";
import { LinkDirection, type LinkDirectionConfig } from "./link-direction.ts";
import { describePathElement, drive, type ElementFactory, type TestPacket } from "./path-element.compliance.ts";

const direction =
  (config: Omit<LinkDirectionConfig, "seed">): ElementFactory =>
  (deliver, drop, seed) =>
    new LinkDirection({ ...config, seed }, deliver, drop);

describePathElement("a link that does nothing", direction({}), { keepsOrder: true });
describePathElement(
  "a WiFi link",
  direction({ rateBitsPerSecond: 8e6, queue: { timeMicroseconds: 80_000 }, delayMicroseconds: 10_000 }),
  { keepsOrder: true },
);
describePathElement(
  "a link with everything",
  direction({
    rateBitsPerSecond: 4e6,
    queue: { bytes: 30_000, packets: 30, timeMicroseconds: 50_000 },
    delayMicroseconds: 5000,
    jitter: { microseconds: 2000, distribution: "normal", reorder: true },
    loss: { kind: "gilbert-elliott", pGoodToBad: 0.1, pBadToGood: 0.3, lossGood: 0.01, lossBad: 0.5 },
  }),
  { keepsOrder: false },
);

const burst = (count: number, bytes: number) => Array.from({ length: count }, () => ({ bytes, time: 0 }));

const losses = (config: Omit<LinkDirectionConfig, "seed">) =>
  drive(direction(config), burst(500, 100), 42)
    .filter(({ dropped }) => dropped === "loss")
    .map(({ packet }) => packet.number);

describe("a direction of a link", () => {
  it("adds the delay after the last bit is sent", () => {
    const outcomes = drive(direction({ rateBitsPerSecond: 8e6, delayMicroseconds: 10_000 }), burst(3, 1000));
    expect(outcomes.map(({ time }) => time)).to.deep.equal([11_000, 12_000, 13_000]);
  });

  it("goes on counting to its listed losses while it is reconfigured and while some are lost elsewhere", () => {
    const lost: number[] = [];
    const loss = { kind: "listed" as const, packets: [2, 6, 9] };
    const rate = { rateBitsPerSecond: 8e6, queue: { packets: 2 } };
    const link = new LinkDirection<TestPacket>(
      { ...rate, loss, seed: 1 },
      () => {},
      (packet, reason) => void (reason === "loss" && lost.push(packet.number)),
    );
    const push = (...numbers: number[]): void => {
      for (const number of numbers) link.push({ number, bytes: 1000 }, 0);
    };
    push(1, 2, 3, 4, 5);
    link.configure({ ...rate, delayMicroseconds: 5000, loss }, 0);
    push(6, 7);
    link.configure({ ...rate }, 0);
    push(8);
    link.configure({ ...rate, loss }, 0);
    push(9, 10);
    expect(lost).to.deep.equal([2, 6, 9]);
  });

  it("loses before the rate: a lost packet takes no capacity", () => {
    const outcomes = drive(
      direction({ rateBitsPerSecond: 8e6, loss: { kind: "bernoulli", probability: 0.5 } }),
      burst(100, 1000),
    );
    const delivered = outcomes.filter(({ dropped }) => dropped === undefined);
    expect(delivered.at(-1)!.time).to.equal(delivered.length * 1000);
  });

  it("draws the same losses with jitter as without", () => {
    const loss = { kind: "bernoulli", probability: 0.2 } as const;
    expect(losses({ loss, jitter: { microseconds: 100, distribution: "normal", reorder: true } })).to.deep.equal(
      losses({ loss }),
    );
  });

  it("counts what passed, what was dropped and why, and what waits", () => {
    const link = new LinkDirection<TestPacket>(
      { rateBitsPerSecond: 8e6, queue: { packets: 3 }, delayMicroseconds: 100, seed: 1 },
      () => {},
      () => {},
    );
    for (let number = 0; number < 6; number++) link.push({ bytes: 1000, number }, 0);
    expect(link.counters(0)).to.deep.equal({
      packets: 0,
      bytes: 0,
      dropsQueue: 2,
      dropsLoss: 0,
      dropsBlackhole: 0,
      queueBytes: 3000,
      queuePackets: 3,
      queueBytesHigh: 3000,
    });
    link.blackhole = true;
    link.push({ bytes: 1000, number: 6 }, 10);
    link.advance(1e6);
    expect(link.counters(1e6)).to.include({ packets: 4, bytes: 4000, dropsBlackhole: 1, queueBytes: 0 });
  });

  it("has one time to wait for each packet, and counts by the time that it is asked for", () => {
    const delivered: number[] = [];
    const link = new LinkDirection<TestPacket>(
      { rateBitsPerSecond: 8e6, delayMicroseconds: 100, seed: 1 },
      (_packet, time) => delivered.push(time),
      () => {},
    );
    for (let number = 0; number < 3; number++) link.push({ bytes: 1000, number }, 0);
    expect(link.nextTime()).to.equal(1100);
    expect(link.counters(1050)).to.include({ queuePackets: 1, packets: 0 });
    link.advance(1100);
    expect(link.nextTime()).to.equal(2100);
    link.configure({ rateBitsPerSecond: 8e6, delayMicroseconds: 5000 }, 2050);
    link.advance(1e5);
    expect(delivered).to.deep.equal([1100, 2100, 8000]);
  });

  it("as a blackhole delivers what was already on its way", () => {
    const delivered: number[] = [];
    const link = new LinkDirection<TestPacket>(
      { delayMicroseconds: 1000, seed: 1 },
      ({ number }) => delivered.push(number),
      () => {},
    );
    link.push({ bytes: 100, number: 0 }, 0);
    link.blackhole = true;
    link.push({ bytes: 100, number: 1 }, 10);
    link.blackhole = false;
    link.push({ bytes: 100, number: 2 }, 20);
    link.advance(5000);
    expect(delivered).to.deep.equal([0, 2]);
  });

  it("changes on the fly without losing a packet", () => {
    const times: number[] = [];
    const link = new LinkDirection<TestPacket>(
      { rateBitsPerSecond: 8e6, delayMicroseconds: 1000, seed: 1 },
      (_, time) => times.push(time),
      () => expect.fail("dropped"),
    );
    for (let number = 0; number < 3; number++) link.push({ bytes: 1000, number }, 0);
    link.configure({ rateBitsPerSecond: 16e6, delayMicroseconds: 3000 }, 1000);
    link.advance(1e6);
    expect(times).to.deep.equal([2000, 4500, 5000]);
  });
});

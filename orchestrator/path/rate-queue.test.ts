import { expect } from "chai";
import { describePathElement, drive, type ElementFactory } from "./path-element.compliance.ts";
import { RateQueue, type QueueLimits } from "./rate-queue.ts";

const rateQueue =
  (rate: number, limits: QueueLimits = {}): ElementFactory =>
  (deliver, drop) =>
    new RateQueue(rate, limits, deliver, drop);

const burst = (count: number, bytes: number, time = 0) => Array.from({ length: count }, () => ({ bytes, time }));

describePathElement("a rate of 5 Mbit/s with 20 kB", rateQueue(5e6, { bytes: 20_000 }), { keepsOrder: true });
describePathElement("a rate with a queue of 10 packets", rateQueue(1e6, { packets: 10 }), { keepsOrder: true });
describePathElement("a rate with a queue of 30 ms", rateQueue(2e6, { timeMicroseconds: 30_000 }), { keepsOrder: true });
describePathElement("no rate", rateQueue(Infinity), { keepsOrder: true });

describe("a rate", () => {
  it("lets a packet leave when its last bit is sent", () => {
    const outcomes = drive(rateQueue(8e6), [
      { bytes: 1000, time: 0 },
      { bytes: 500, time: 100 },
      { bytes: 100, time: 5000 },
    ]);
    expect(outcomes.map(({ time }) => time)).to.deep.equal([1000, 1500, 5100]);
  });

  it("drops at the tail when the bytes do not fit, the packet being sent not counted", () => {
    const outcomes = drive(rateQueue(8e6, { bytes: 2000 }), burst(5, 1000));
    expect(outcomes.filter(({ dropped }) => dropped).map(({ packet }) => packet.number)).to.deep.equal([3, 4]);
  });

  it("still takes a small packet when a large one did not fit", () => {
    const outcomes = drive(rateQueue(8e6, { bytes: 1500 }), [...burst(3, 1000), { bytes: 400, time: 0 }]);
    expect(outcomes.filter(({ dropped }) => dropped).map(({ packet }) => packet.number)).to.deep.equal([2]);
  });

  it("counts packets", () => {
    const outcomes = drive(rateQueue(8e6, { packets: 2 }), burst(5, 100));
    expect(outcomes.filter(({ dropped }) => dropped === "queue")).to.have.length(2);
  });

  it("drops what would wait longer than the queue's time for its first bit", () => {
    const outcomes = drive(rateQueue(8e6, { timeMicroseconds: 2000 }), burst(5, 1000));
    expect(outcomes.filter(({ dropped }) => dropped).map(({ packet }) => packet.number)).to.deep.equal([3, 4]);
  });

  it("always sends what finds the line idle, whatever the queue's size", () => {
    expect(drive(rateQueue(8e6, { bytes: 0 }), [{ bytes: 1514, time: 0 }])[0]).not.to.have.property("dropped");
  });

  it("takes a new rate in the middle of a packet and keeps the queue", () => {
    const times: number[] = [];
    const element = new RateQueue(
      8e6,
      {},
      (_, time) => times.push(time),
      () => expect.fail("dropped"),
    );
    for (let i = 0; i < 3; i++) element.push({ bytes: 1000 }, 0);
    element.configure(4e6, {}, 500); // half of the first is sent
    element.advance(1e6);
    expect(times).to.deep.equal([1500, 3500, 5500]);
  });

  it("empties at once when the rate is taken away", () => {
    const times: number[] = [];
    const element = new RateQueue(
      8e6,
      {},
      (_, time) => times.push(time),
      () => expect.fail("dropped"),
    );
    for (let i = 0; i < 3; i++) element.push({ bytes: 1000 }, 0);
    element.configure(Infinity, {}, 500);
    expect(times).to.deep.equal([500, 500, 500]);
    expect(element.queueBytes).to.equal(0);
  });

  it("knows what waits and the most that ever did", () => {
    const element = new RateQueue(
      8e6,
      {},
      () => {},
      () => expect.fail("dropped"),
    );
    for (let i = 0; i < 4; i++) element.push({ bytes: 1000 }, 0);
    expect([element.queueBytes, element.queuePackets, element.heldPackets]).to.deep.equal([3000, 3, 4]);
    element.advance(2500);
    expect([element.queueBytes, element.queueBytesHigh]).to.deep.equal([1000, 3000]);
  });

  it("carries its rate over a long burst without drift", () => {
    const outcomes = drive(rateQueue(7e6), burst(20_000, 1514));
    expect(outcomes.at(-1)!.time).to.be.closeTo((20_000 * 1514 * 8) / 7, 0.01);
  });
});

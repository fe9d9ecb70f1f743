import { expect } from "chai";
import type { Alarm } from "./alarm.ts";
import { makePair, wifi } from "./testing/pair.ts";

function rung(): { alarm: Alarm; times: number[]; pair: ReturnType<typeof makePair> } {
  const pair = makePair({ paths: [wifi] });
  const times: number[] = [];
  return { pair, times, alarm: { at: Number.POSITIVE_INFINITY, ring: () => void times.push(pair.network.now) } };
}

describe("an application's alarm on the clock of its host", () => {
  it("rings once, when its time has come", () => {
    const { pair, alarm, times } = rung();
    const at = pair.network.now + 30_000_000;
    pair.client.setAlarm(alarm, at);
    expect(pair.client.pollTimeout()).to.equal(at);
    pair.network.run(100_000_000);
    expect(times).to.deep.equal([at]);
  });

  it("is put off, brought forward, and taken back", () => {
    const { pair, alarm, times } = rung();
    const start = pair.network.now;
    pair.client.setAlarm(alarm, start + 10_000);
    pair.client.setAlarm(alarm, start + 30_000);
    pair.network.run(20_000);
    pair.client.setAlarm(alarm, start + 25_000);
    pair.network.run(10_000);
    expect(times).to.deep.equal([start + 25_000]);
    pair.client.setAlarm(alarm, start + 50_000);
    pair.client.setAlarm(alarm, Number.POSITIVE_INFINITY);
    pair.network.run(100_000);
    expect(times).to.have.length(1);
  });

  it("that is taken back in the moment in which it is due does not ring", () => {
    const { pair, alarm, times } = rung();
    pair.client.setAlarm(alarm, pair.network.now + 10);
    pair.client.handleTimeout(pair.network.now + 10);
    pair.client.setAlarm(alarm, Number.POSITIVE_INFINITY);
    expect(pair.client.deliverNotifications()).to.equal("nothing");
    expect(times).to.deep.equal([]);
  });
});

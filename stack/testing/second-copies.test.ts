import { expect } from "chai";
import type { Scheduler } from "../scheduler/scheduler.ts";
import { checkStreams } from "./check-streams.ts";
import { converse, makePair, thirdGeneration, wifi, type Pair, type StreamApplication } from "./pair.ts";

const second = 1_000_000;

/** What of the client's stream came over more than one subflow. */
function duplicatedBytes(client: StreamApplication): number {
  const { connection } = client;
  return connection.subflows.reduce((sum, { endpoint }) => sum + endpoint.receiver.bytesReceived, 0) - client.received;
}

/** The server sends `bytes` every `interval` microseconds, without end. */
function burst(pair: Pair, bytes: number, interval: number): { client: StreamApplication } {
  const { network } = pair;
  const conversation = converse(pair, 0, 0, { endsAfterSending: false });
  const sendPiece = (): void => {
    const server = conversation.server()!;
    server.toSend += bytes;
    server.send();
    network.at(network.now + interval, sendPiece);
  };
  network.at(network.now + 300_000, sendPiece);
  return conversation;
}

describe("data that go over a second subflow", () => {
  it("are none in mid-stream, however much of a burst overflows to the slow path", () => {
    const pair = makePair();
    const { client } = burst(pair, 94_000, 500_000);
    pair.network.run(20 * second);
    const slow = client.connection.subflows.find(({ local }) => local.interfaceName === "eth1")!;
    expect(slow.endpoint.receiver.bytesReceived).to.be.greaterThan(100_000);
    expect(duplicatedBytes(client)).to.be.at.most(0.001 * client.received);
  });

  it("shorten the end of a stream: once a byte, in one event", () => {
    const pair = makePair();
    const conversation = converse(pair, 0, 2_000_000);
    const { client } = conversation;
    pair.network.run(1_500_000);
    let duplicated = 0;
    pair.network.onStep = () => {
      if (client.connection.subflows.length > 1) duplicated = duplicatedBytes(client);
    };
    pair.network.run(60 * second, () => client.closed && conversation.server()?.closed === true);
    checkStreams(conversation, 0, 2_000_000);
    const events = pair.network.eventsNamed("scheduler:opportunistic-retransmit", pair.server);
    expect(events).to.have.length(1);
    expect(events[0]!.bytes).to.be.within(10_000, 150_000);
    expect(events[0]!.segments).to.be.greaterThan(5);
    expect(duplicated).to.be.at.most(events[0]!.bytes);
  });

  it("are none while a scheduler keeps new data for a slow subflow: it waits, and no window is in the way (NSDI 2012, §4.2)", () => {
    const latest = (): Scheduler => ({
      name: "latest",
      select(subflows) {
        const chosen = subflows.filter(({ usable }) => usable).at(-1);
        return chosen !== undefined && chosen.space > 0 ? chosen : undefined;
      },
    });
    const pair = makePair({ paths: [wifi, thirdGeneration], server: { scheduler: latest } });
    const { client } = converse(pair, 0, 4_000_000, { endsAfterSending: false });
    pair.network.run(12 * second);
    expect(client.received).to.be.within(2_500_000, 3_900_000);
    expect(pair.network.eventsNamed("scheduler:opportunistic-retransmit", pair.server)).to.deep.equal([]);
    expect(pair.network.eventsNamed("scheduler:penalise", pair.server)).to.deep.equal([]);
    const slow = client.connection.subflows.find(({ local }) => local.interfaceName === "eth1")!;
    expect(slow.endpoint.receiver.bytesReceived).to.be.greaterThan(0.8 * client.received);
  });

  it("of a path that has died are one event", () => {
    const pair = makePair();
    const conversation = converse(pair, 0, 40_000_000, { endsAfterSending: false });
    pair.network.run(5 * second);
    for (const pipe of [pair.links[0]!.up, pair.links[0]!.down]) pipe.blackhole = true;
    pair.network.run(3 * second);
    const [event, ...more] = pair.network.eventsNamed("scheduler:reinject", pair.server);
    expect(more).to.deep.equal([]);
    expect(event!.bytes).to.be.greaterThan(5_000);
    expect(event!.segments).to.be.greaterThan(2);
    expect(event!.durationMicroseconds).to.be.within(1, second);
    expect(conversation.client.corrupt).to.equal(false);
  });
});

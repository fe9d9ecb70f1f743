/** Addresses that come and go while connections live: break before make, and what the peer is told (RFC 8684 §3.4). */

import { expect } from "chai";
import { ConfigurationError } from "../host-options.ts";
import { NetworkError } from "../host.ts";
import { checkStreams } from "./check-streams.ts";
import { type Conversation, converse, makePair, type Pair, type PairOptions } from "./pair.ts";

const second = 1_000_000;
const path = { rate: 8_000_000, delay: 10_000, queueBytes: 80_000 };

interface Started {
  pair: Pair;
  conversation: Conversation;
}

/** A download that is under way. */
function download(bytes: number, options: PairOptions): Started {
  const pair = makePair({ paths: [path, path], ...options });
  pair.network.route("10.0.1.3", pair.links[0]!);
  pair.network.route("10.0.2.3", pair.links[1]!);
  const conversation = converse(pair, 1_000, bytes);
  pair.network.run(second);
  return { pair, conversation };
}

function finish({ pair, conversation }: Started, bytes: number): void {
  const { client, server } = conversation;
  pair.network.run(300 * second, () => client.closed && server()?.closed === true);
  checkStreams(conversation, 1_000, bytes);
}

function established({ conversation }: Started): string[] {
  return conversation.client.connection
    .info()
    .subflows.filter(({ state }) => state === "established")
    .map(({ localAddress }) => localAddress)
    .sort();
}

const addressAndBack = [
  "addresses",
  ({ client, network }: Pair) => client.removeAddress("10.0.1.2", network.now),
  ({ client, network }: Pair) => client.addAddress(0, { address: "10.0.1.2", prefixLength: 24 }, network.now),
] as const;
const interfaceAndBack = [
  "interfaces",
  ({ client, network }: Pair) => client.setInterfaceUp(0, false, network.now),
  ({ client, network }: Pair) => client.setInterfaceUp(0, true, network.now),
] as const;

describe("addresses at run time", () => {
  it("come: the connection gets a subflow from the new one", () => {
    const started = download(5_000_000, { paths: [path] });
    started.pair.client.addAddress(0, { address: "10.0.1.3", prefixLength: 24 }, started.pair.network.now);
    started.pair.network.run(second);
    expect(established(started)).to.deep.equal(["10.0.1.2", "10.0.1.3"]);
    finish(started, 5_000_000);
  });

  it("come of the other family: IPv6 beside IPv4, to a peer that has both", () => {
    const started = download(5_000_000, { paths: [path], serverFamily: "both" });
    const { client, network } = started.pair;
    client.addAddress(0, { address: "fd00:0:0:64::3", prefixLength: 64 }, network.now);
    network.route("fd00:0:0:64::3", started.pair.links[0]!);
    network.run(second);
    expect(established(started)).to.deep.equal(["10.0.1.2", "fd00:0:0:64::3"]);
    client.removeAddress("FD00:0:0:64:0::3", network.now);
    network.run(second);
    expect(established(started)).to.deep.equal(["10.0.1.2"]);
    finish(started, 5_000_000);
  });

  it("go: their subflow ends, the peer is told, and the stream goes on over the other", () => {
    const started = download(5_000_000, {});
    const { pair } = started;
    pair.client.removeAddress("10.0.2.2", pair.network.now);
    pair.network.run(2 * second);
    expect(established(started)).to.deep.equal(["10.0.1.2"]);
    expect(pair.network.eventsNamed("path-manager:address-removed", pair.server)).to.have.length(1);
    expect(pair.network.eventsNamed("mptcp:subflow-closed", pair.server)[0]?.reason).to.equal("address-removed");
    finish(started, 5_000_000);
  });

  it("change: a new address takes the place of the old one", () => {
    const started = download(5_000_000, {});
    const { pair } = started;
    pair.client.removeAddress("10.0.2.2", pair.network.now);
    pair.client.addAddress(1, { address: "10.0.2.3", prefixLength: 24 }, pair.network.now);
    pair.network.run(second);
    expect(established(started)).to.deep.equal(["10.0.1.2", "10.0.2.3"]);
    finish(started, 5_000_000);
  });

  it("come to the server: it advertises the new one, and the client joins it", () => {
    const started = download(5_000_000, { paths: [path], serverInterfaces: 2 });
    const { pair } = started;
    pair.network.route("10.0.101.3", { ...pair.links[0]!, host: pair.server, interfaceIndex: 1 });
    pair.server.addAddress(1, { address: "10.0.101.3", prefixLength: 24, port: 7001 }, pair.network.now);
    pair.network.run(second);
    const joined = pair.network
      .eventsNamed("mptcp:subflow-established", pair.client)
      .map(({ remoteAddress, remotePort }) => `${remoteAddress}:${remotePort}`);
    expect(joined).to.deep.equal(["10.0.100.2:5001", "10.0.101.2:5001", "10.0.101.3:7001"]);
    finish(started, 5_000_000);
  });

  it("go, all of them, and another comes half a minute later: break before make", () => {
    const started = download(5_000_000, { paths: [path] });
    const { pair } = started;
    pair.client.removeAddress("10.0.1.2", pair.network.now);
    pair.network.run(30 * second);
    expect(started.conversation.client.closed).to.equal(false);
    pair.client.addAddress(0, { address: "10.0.1.3", prefixLength: 24 }, pair.network.now);
    finish(started, 5_000_000);
  });

  for (const [seconds, error] of [
    [60, undefined],
    [5, { closeTimeoutMicroseconds: 5 * second }],
  ] as const) {
    it(`go for good: the connection ends ${seconds} s later with an error`, () => {
      const started = download(5_000_000, { paths: [path], client: error ?? {} });
      const { pair, conversation } = started;
      pair.client.removeAddress("10.0.1.2", pair.network.now);
      pair.network.run((seconds - 1) * second);
      expect(conversation.client.closed).to.equal(false);
      pair.network.run(2 * second);
      expect(conversation.client.error).to.equal("ETIMEDOUT");
      pair.network.run(400 * second);
      expect(conversation.server()!.error).to.equal("ETIMEDOUT");
      expect([pair.client.connections.length, pair.server.connections.length]).to.deep.equal([0, 0]);
    });
  }

  for (const [what, take, giveBack] of [addressAndBack, interfaceAndBack])
    for (const bytes of [5_000_000, 0])
      it(`${what} of plain TCP are waited for, as Linux does: ${bytes === 0 ? "an upload" : "a download"} goes on when they are back`, () => {
        const pair = makePair({ paths: [path], client: { mptcp: false } });
        const conversation = converse(pair, 5_000_000 - bytes, bytes);
        pair.network.run(second);
        take(pair);
        pair.network.run(31 * second);
        expect(conversation.client.closed).to.equal(false);
        giveBack(pair);
        pair.network.run(300 * second, () => conversation.client.closed && conversation.server()?.closed === true);
        checkStreams(conversation, 5_000_000 - bytes, bytes);
        // The interval of timeouts has doubled meanwhile: the next is due within as long as it was gone.
        expect(pair.network.now).to.be.below((31 + 31 + 10) * second);
      });

  for (const [what, take, giveBack] of [addressAndBack, interfaceAndBack])
    for (const milliseconds of [0, 5, 15, 25, 35, 45])
      it(`${what} that go ${milliseconds} ms after the attempt to connect, before a join is possible, are waited for`, () => {
        const pair = makePair({ paths: [path, path] });
        const conversation = converse(pair, 100_000, 100_000);
        pair.network.run(milliseconds * 1_000);
        take(pair);
        pair.network.run(5 * second);
        expect(conversation.client.closed).to.equal(false);
        giveBack(pair);
        pair.network.run(60 * second, () => conversation.client.closed && conversation.server()?.closed === true);
        checkStreams(conversation, 100_000, 100_000);
      });

  it("go for good while it connects: the attempt times out", () => {
    const { client, network, ...pair } = makePair({ paths: [path, path] });
    const conversation = converse({ client, network, ...pair }, 100, 100);
    client.setInterfaceUp(0, false, network.now);
    network.run(30 * second);
    expect(conversation.client.closed).to.equal(false);
    network.run(400 * second);
    expect(conversation.client.error).to.equal("ETIMEDOUT");
    expect(client.connections).to.deep.equal([]);
  });

  it("stay when another device takes the place of the interface's: its hardware address, and segments of its MTU", () => {
    const pair = makePair({ paths: [path] });
    const { client, network, links } = pair;
    const sources = new Set<string>();
    const longest = { bytes: 0 };
    links[0]!.up.middlebox = (frame) => {
      sources.add(Buffer.from(frame.subarray(6, 12)).toString("hex"));
      longest.bytes = Math.max(longest.bytes, frame.length);
      return [frame];
    };
    client.setInterfaceUp(0, false, network.now);
    client.setInterfaceDevice(0, { mac: "02:00:00:00:ab:cd", mtu: 1_000 });
    client.setInterfaceUp(0, true, network.now);
    const conversation = converse(pair, 100_000, 100_000);
    network.run(10 * second);
    checkStreams(conversation, 100_000, 100_000);
    expect([[...sources], longest.bytes]).to.deep.equal([["02000000abcd"], 1_014]);
    expect(() => client.setInterfaceDevice(0, { mac: "02", mtu: 1_500 })).to.throw(ConfigurationError);
    expect(() => client.setInterfaceDevice(0, { mac: "02:00:00:00:ab:cd", mtu: 50 })).to.throw(ConfigurationError);
  });

  it("that cannot be are refused", () => {
    const { client, network } = makePair();
    const add = (index: number, address: string, prefixLength: number) => () =>
      client.addAddress(index, { address, prefixLength }, network.now);
    expect(add(2, "10.0.3.2", 24)).to.throw(ConfigurationError);
    expect(add(0, "10.0.1", 24)).to.throw(ConfigurationError);
    expect(add(0, "10.0.1.3", 33)).to.throw(ConfigurationError);
    expect(add(0, "fd00::1", 129)).to.throw(ConfigurationError);
    expect(add(1, "10.0.1.2", 24))
      .to.throw(NetworkError)
      .with.property("code", "EADDRINUSE");
    expect(() => client.removeAddress("10.0.9.9", network.now))
      .to.throw(NetworkError)
      .with.property("code", "EADDRNOTAVAIL");
  });
});

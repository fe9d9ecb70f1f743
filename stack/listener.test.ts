import { expect } from "chai";
import { checksumState } from "./frame.ts";
import type { Host } from "./host.ts";
import type { SynCookiePolicy } from "./tcp/tcp-options.ts";
import { checkStreams } from "./testing/check-streams.ts";
import { converse, makePair, type Pair, serverPort, StreamApplication, wifi } from "./testing/pair.ts";
import { seededRandom } from "./testing/random.ts";
import { ipv4FromNumber, parseIpv4 } from "./wire/ip-address.ts";
import { ipProtocol, writeIpv4Header } from "./wire/ipv4.ts";
import { mptcpPresent } from "./wire/mptcp-options.ts";
import { sequenceNumber } from "./wire/sequence.ts";
import { writeTcp } from "./wire/tcp-emit.ts";
import { tcpFlag, TcpSegment } from "./wire/tcp-segment.ts";

const second = 1_000_000;
const serverAddress = parseIpv4("10.0.100.2")!;

/** `count` segments from addresses of which no two are the same. */
function flood(server: Host, count: number, now: number, fill: (segment: TcpSegment, i: number) => void): void {
  const frame = new Uint8Array(120);
  const view = new DataView(frame.buffer);
  const segment = new TcpSegment();
  for (let i = 0; i < count; i++) {
    segment.clearOptions();
    segment.sourcePort = 1_024 + (i % 60_000);
    segment.destinationPort = serverPort;
    fill(segment, i);
    view.setUint16(12, 0x0800);
    const length = writeTcp(segment, view, 34);
    const source = ipv4FromNumber(0x0b00_0000 + i);
    writeIpv4Header(view, 14, 20 + length, 0, ipProtocol.tcp, source, serverAddress);
    server.handleFrame(0, frame, 0, 34 + length, checksumState.valid, now);
  }
}

function capableSyn(segment: TcpSegment): void {
  segment.flags = tcpFlag.syn;
  segment.mss = 1460;
  segment.mptcp.present = mptcpPresent.capable;
  segment.mptcp.capableVersion = 1;
  segment.mptcp.capableFlags = 1;
  segment.mptcp.capableKeys = 0;
}

/** A server that listens, and whose frames to nowhere go nowhere. */
function listening(synCookies: SynCookiePolicy, mptcp = true): Pair & { accepted: StreamApplication[] } {
  const pair = makePair({ paths: [wifi, wifi], client: { mptcp }, server: { tcp: { synCookies } } });
  const { network, server } = pair;
  const accepted: StreamApplication[] = [];
  const listener = server.listen({ port: serverPort }, network.now);
  listener.onConnection = () => {
    for (let next = listener.accept(); next !== undefined; next = listener.accept())
      accepted.push(new StreamApplication(network, next, 0, true));
  };
  return { ...pair, accepted };
}

describe("a flood of SYNs from nowhere (RFC 4987)", () => {
  it("of 20,000 leaves no more connections than the backlog, and keeps nobody out", () => {
    const { network, server, client, accepted } = listening("when-full");
    flood(server, 20_000, network.now, capableSyn);
    expect(server.connections.length).to.equal(511);
    const late = client.connect({ remoteAddress: "10.0.100.2", remotePort: serverPort }, network.now);
    network.run(second / 2);
    expect([late.established, late.info().mptcp, accepted.length]).to.deep.equal([true, true, 1]);
    expect(server.connections.length).to.equal(512);
  });

  it("without cookies shuts others out for a second or two, and keeps no more than the backlog", () => {
    const { network, server, client } = listening("never");
    flood(server, 2_000, network.now, capableSyn);
    expect(server.connections.length).to.equal(511);
    const late = client.connect({ remoteAddress: "10.0.100.2", remotePort: serverPort }, network.now);
    network.run(second / 2);
    expect(late.established).to.equal(false);
    network.run(4 * second);
    expect(late.established).to.equal(true);
    expect(server.connections.length).to.be.at.most(512);
  });

  it("that goes on for a minute: what is half open never exceeds the backlog, and ends when the flood does", () => {
    const { network, server } = listening("when-full");
    let most = 0;
    for (let i = 0; i < 60; i++) {
      flood(server, 1_000, network.now, capableSyn);
      most = Math.max(most, server.connections.length);
      network.run(second);
    }
    expect(most).to.equal(511);
    network.run(60 * second);
    expect(server.connections).to.have.length(0);
  });
});

describe("SYN cookies", () => {
  it("make connections of MPTCP with two subflows, in both directions intact", () => {
    const pair = makePair({ paths: [wifi, wifi], server: { tcp: { synCookies: "always" } } });
    const conversation = converse(pair, 500_000, 500_000);
    pair.network.run(30 * second, () => conversation.client.closed && conversation.server()?.closed === true);
    checkStreams(conversation, 500_000, 500_000);
    expect(pair.network.eventsNamed("mptcp:subflow-established", pair.server)).to.have.length(2);
    expect(conversation.client.connection.info().mptcp).to.equal(true);
  });

  it("make plain connections, with the window scale and selective acknowledgements of timestamps", () => {
    const pair = makePair({
      paths: [{ ...wifi, loss: 0.02 }],
      client: { mptcp: false },
      server: { tcp: { synCookies: "always" } },
    });
    const conversation = converse(pair, 500_000, 500_000);
    pair.network.run(60 * second, () => conversation.client.closed && conversation.server()?.closed === true);
    checkStreams(conversation, 500_000, 500_000);
  });

  it("leave nothing behind before the third segment", () => {
    const { network, server } = listening("always");
    flood(server, 1_000, network.now, capableSyn);
    expect(server.connections).to.have.length(0);
    network.run(10 * second); // The next hop has been asked for by then.
    expect(server.pollTimeout()).to.equal(Number.POSITIVE_INFINITY);
  });

  it("that nobody was given are answered with RST, and make no connection", () => {
    const { network, server } = listening("always");
    flood(server, 1, network.now, capableSyn);
    const random = seededRandom(1);
    flood(server, 20_000, network.now, (segment) => {
      segment.flags = tcpFlag.ack;
      segment.acknowledgement = sequenceNumber(random());
    });
    expect(server.connections).to.have.length(0);
  });

  it("beyond the backlog wait until there is room: who sends again is taken then, and nobody is reset", () => {
    const { network, server, client } = makePair({ paths: [wifi], server: { tcp: { synCookies: "when-full" } } });
    const listener = server.listen({ port: serverPort, backlog: 2 }, network.now);
    const clients = Array.from({ length: 4 }, () =>
      client.connect({ remoteAddress: "10.0.100.2", remotePort: serverPort }, network.now),
    );
    network.run(second / 2);
    expect([listener.accept(), listener.accept(), listener.accept()].filter(Boolean)).to.have.length(2);
    network.run(10 * second);
    expect([listener.accept(), listener.accept(), listener.accept()].filter(Boolean)).to.have.length(2);
    expect(clients.every(({ established, closed }) => established && !closed)).to.equal(true);
  });

  it("are not looked for when none were given out", () => {
    const { network, server, client, accepted } = listening("when-full");
    const connection = client.connect({ remoteAddress: "10.0.100.2", remotePort: serverPort }, network.now);
    network.run(second);
    expect([connection.established, accepted.length]).to.deep.equal([true, 1]);
    flood(server, 1_000, network.now, (segment, i) => {
      segment.flags = tcpFlag.ack;
      segment.acknowledgement = sequenceNumber(i);
    });
    expect(server.connections).to.have.length(1);
  });
});

import { expect } from "chai";
import type { Host } from "../host.ts";
import { sequenceNumber } from "../wire/sequence.ts";
import { tcpOptionsLength, writeTcp } from "../wire/tcp-emit.ts";
import { tcpFlag, tcpHeaderLength, TcpSegment } from "../wire/tcp-segment.ts";
import { capableFlag, mptcpPresent } from "../wire/mptcp-options.ts";
import { checkStreams } from "./check-streams.ts";
import { converse, makePair, type Pair, serverPort } from "./pair.ts";
import { seededRandom } from "./random.ts";
import { rewriteChecksum, tcpStart } from "./wire-tap.ts";

const second = 1_000_000;
const hostile = 10_000;
const backlog = 128;
const serverAddress = 0x0a00_6402;
const path = { rate: 20_000_000, delay: 5_000, queueBytes: 100_000 };
const transferred = 2_000_000;
/** Half-open connections, the honest one, and what each may have waiting. */
const most = {
  connections: backlog + 2,
  subflows: backlog + 10,
  tokens: backlog + 2,
  deadlines: backlog + 2,
  waitingFrames: 200,
};

type Random = () => number;

/** An IPv4 packet from anywhere with the segment that `fill` makes of an empty one. */
function hostileFrame(random: Random, fill: (segment: TcpSegment, random: Random) => void): Uint8Array {
  const segment = new TcpSegment();
  segment.sourcePort = 1_024 + (random() % 60_000);
  segment.destinationPort = serverPort;
  segment.sequence = sequenceNumber(random());
  segment.window = random() & 0xffff;
  fill(segment, random);
  const frame = new Uint8Array(tcpStart + tcpHeaderLength + tcpOptionsLength(segment));
  const view = new DataView(frame.buffer);
  view.setUint16(12, 0x0800);
  view.setUint16(14, 0x4500);
  view.setUint16(22, 0x4006);
  // Of 11.0.0.0/8: behind the server's router, and nobody's.
  view.setUint32(26, 0x0b00_0000 + (random() & 0xff_ffff));
  view.setUint32(30, serverAddress);
  writeTcp(segment, view, tcpStart);
  rewriteChecksum(frame);
  return frame;
}

const syn = (segment: TcpSegment): void => {
  segment.flags = tcpFlag.syn;
  segment.mss = 1_460;
};

const floods: Record<string, (segment: TcpSegment, random: Random) => void> = {
  "SYNs from everywhere": syn,
  "SYNs with MP_CAPABLE": (segment) => {
    syn(segment);
    segment.mptcp.present = mptcpPresent.capable;
    segment.mptcp.capableFlags = capableFlag.hmacSha256;
    segment.mptcp.capableKeys = 0;
  },
  "joins with tokens of nobody": (segment, random) => {
    syn(segment);
    segment.mptcp.present = mptcpPresent.join;
    segment.mptcp.joinLength = 12;
    segment.mptcp.joinToken = random();
    segment.mptcp.joinNonce = random();
  },
  "acknowledgements of nothing": (segment, random) => {
    segment.flags = tcpFlag.ack;
    segment.acknowledgement = sequenceNumber(random());
  },
  "third packets with keys of nobody": (segment, random) => {
    segment.flags = tcpFlag.ack;
    segment.acknowledgement = sequenceNumber(random());
    const { mptcp } = segment;
    mptcp.present = mptcpPresent.capable;
    mptcp.capableFlags = capableFlag.hmacSha256;
    mptcp.capableKeys = 2;
    mptcp.senderKeyLow = random();
    mptcp.receiverKeyLow = random();
  },
  "RSTs and FINs": (segment, random) => {
    segment.flags = random() % 2 === 0 ? tcpFlag.rst : tcpFlag.fin | tcpFlag.ack;
    segment.acknowledgement = sequenceNumber(random());
  },
};

/** `count` hostile frames for the server, ten a millisecond, from now on. */
function flood(pair: Pair, count: number, next: () => Uint8Array): void {
  const { network } = pair;
  const link = network.attachments.at(-1)!;
  for (let i = 0; i < count; i++) network.at(network.now + i * 100, () => network.inject(link, next()));
}

function watchHoldings(pair: Pair, host: Host): Record<string, number> {
  const peak: Record<string, number> = {};
  let steps = 0;
  pair.network.onStep = () => {
    if (steps++ % 50 !== 0) return;
    for (const [what, count] of Object.entries(host.holdings)) peak[what] = Math.max(peak[what] ?? 0, count);
  };
  return peak;
}

describe(`a flood of ${hostile}`, function () {
  this.timeout(120_000);

  for (const [name, fill] of Object.entries(floods)) {
    it(`${name}: what the server keeps is bounded, and who is connected goes on`, () => {
      const pair = makePair({ paths: [path, path] });
      const random = seededRandom(10_000);
      const conversation = converse(pair, transferred, transferred, { backlog });
      pair.network.run(second / 10);
      flood(pair, hostile, () => hostileFrame(random, fill));
      const peak = watchHoldings(pair, pair.server);
      const { client } = conversation;
      expect(pair.network.run(20 * second, () => client.closed && conversation.server()?.closed === true)).to.equal(
        true,
      );
      checkStreams(conversation, transferred, transferred);
      expect(client.connection.info().mptcp).to.equal(true);
      for (const [what, limit] of Object.entries(most)) expect(peak[what], what).to.be.at.most(limit);
      pair.network.run(300 * second);
      expect(pair.server.holdings).to.deep.equal({
        connections: 0,
        subflows: 0,
        tokens: 0,
        deadlines: 0,
        waitingFrames: 0,
      });
    });
  }

  it("joins with the right token and no key: the connection has its few subflows, and goes on", () => {
    const pair = makePair({ paths: [path] });
    const random = seededRandom(10_001);
    const conversation = converse(pair, transferred, transferred);
    pair.network.run(second / 10);
    const token = conversation.server()!.connection.localKey!.token;
    flood(pair, hostile, () =>
      hostileFrame(random, (segment) => {
        floods["joins with tokens of nobody"]!(segment, random);
        segment.mptcp.joinToken = token;
      }),
    );
    const peak = watchHoldings(pair, pair.server);
    const { client } = conversation;
    expect(pair.network.run(20 * second, () => client.closed && conversation.server()?.closed === true)).to.equal(true);
    checkStreams(conversation, transferred, transferred);
    expect(peak["subflows"]).to.be.at.most(10);
    pair.network.run(300 * second);
    expect(pair.server.holdings.subflows).to.equal(0);
  });

  it("half-open connections make room for an honest one", () => {
    const pair = makePair({ paths: [path] });
    const random = seededRandom(10_002);
    const listener = pair.server.listen({ port: serverPort, backlog }, pair.network.now);
    flood(pair, hostile, () => hostileFrame(random, syn));
    pair.network.run(second / 2);
    const connection = pair.client.connect({ remoteAddress: "10.0.100.2", remotePort: serverPort }, pair.network.now);
    pair.network.run(20 * second, () => connection.established && listener.accept() !== undefined);
    expect([connection.established, pair.server.connections.length <= backlog + 1]).to.deep.equal([true, true]);
  });
});

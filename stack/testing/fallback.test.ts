import { expect } from "chai";
import type { FallbackReason } from "../events.ts";
import { mptcpPresent } from "../wire/mptcp-options.ts";
import { tcpFlag, type TcpSegment } from "../wire/tcp-segment.ts";
import { checkStreams } from "./check-streams.ts";
import type { Middlebox } from "./network.ts";
import { type Conversation, converse, makePair, type Pair, type PairOptions, wifi } from "./pair.ts";
import { chain, dropWhen, rewritePayload, segmentOf, stripMptcp } from "./wire-tap.ts";

const second = 1_000_000;
const isSyn = (segment: TcpSegment): boolean => segment.has(tcpFlag.syn);

interface Outcome {
  pair: Pair;
  conversation: Conversation;
}

/** A transfer both ways through middleboxes on the client's only link; it must come through whatever they do. */
function transfer(options: PairOptions, up?: Middlebox, down?: Middlebox): Outcome {
  const pair = makePair({ paths: [wifi], ...options });
  pair.links[0]!.up.middlebox = up;
  pair.links[0]!.down.middlebox = down;
  const conversation = converse(pair, 50_000, 300_000);
  pair.network.run(60 * second, () => conversation.client.closed && conversation.server()?.closed === true);
  checkStreams(conversation, 50_000, 300_000);
  return { pair, conversation };
}

function expectFallback({ conversation }: Outcome, client: FallbackReason, server: FallbackReason): void {
  const sides = [conversation.client, conversation.server()!].map(({ connection }) => connection.info());
  expect(sides.map((side) => side.mptcp)).to.deep.equal([false, false]);
  expect(sides.map((side) => side.fallbackReason)).to.deep.equal([client, server]);
}

describe("fallback to plain TCP (RFC 8684 §3.7)", () => {
  it("when the peer does not speak MPTCP", () => {
    expectFallback(transfer({ server: { mptcp: false } }), "peer-without-mptcp", "disabled");
  });

  it("when we do not", () => {
    expectFallback(transfer({ client: { mptcp: false } }), "disabled", "peer-without-mptcp");
  });

  it("when the option is stripped from the SYN", () => {
    expectFallback(transfer({}, stripMptcp(isSyn)), "peer-without-mptcp", "peer-without-mptcp");
  });

  it("when the option is stripped from the SYN/ACK", () => {
    expectFallback(transfer({}, undefined, stripMptcp(isSyn)), "peer-without-mptcp", "third-ack-without-option");
  });

  it("when SYNs with the option are dropped, within 7 s", () => {
    const outcome = transfer(
      {},
      dropWhen((segment) => isSyn(segment) && segment.mptcp.present !== 0),
    );
    expectFallback(outcome, "syn-options-dropped", "peer-without-mptcp");
    expect(outcome.conversation.client.lastArrival).to.be.lessThan(8 * second);
  });

  it("when options are stripped from everything but SYNs, towards the server", () => {
    expectFallback(
      transfer(
        {},
        stripMptcp((segment) => !isSyn(segment)),
      ),
      "first-data-without-option",
      "third-ack-without-option",
    );
  });

  it("when options are stripped from everything but SYNs, towards the client", () => {
    const { conversation } = transfer(
      {},
      undefined,
      stripMptcp((segment) => !isSyn(segment)),
    );
    expect(conversation.client.connection.info().mptcp).to.equal(false);
    expect(conversation.server()!.connection.info().mptcp).to.equal(false);
  });

  it("not when ADD_ADDR is stripped and an acknowledgement of nothing new remains", () => {
    const isAdvertisement = (segment: TcpSegment): boolean => segment.mptcp.has(mptcpPresent.addAddress);
    const { conversation } = transfer(
      { serverInterfaces: 2 },
      stripMptcp(isAdvertisement),
      stripMptcp(isAdvertisement),
    );
    expect(conversation.client.connection.info().mptcp).to.equal(true);
  });

  it("when a middlebox rewrites the payload and checksums are on, with a single subflow", () => {
    const pair = makePair({ paths: [wifi], client: { dssChecksum: true } });
    let rewritten = 0;
    pair.links[0]!.down.middlebox = rewritePayload(
      (segment) => segment.mptcp.has(mptcpPresent.dss) && rewritten++ === 3,
    );
    const conversation = converse(pair, 1_000, 300_000);
    pair.network.run(60 * second, () => conversation.client.closed && conversation.server()?.closed === true);
    // What is rewritten reaches the application as it would with TCP: the path wants it so.
    expect(conversation.client.received).to.equal(300_000);
    expect(conversation.client.corrupt).to.equal(true);
    expect(conversation.client.connection.info().fallbackReason).to.equal("checksum-failed");
    expect(conversation.server()!.connection.info().fallbackReason).to.equal("checksum-failed");
  });

  it("not with two subflows: the one whose payload is rewritten is reset, and the stream arrives intact", () => {
    const pair = makePair({ client: { dssChecksum: true } });
    pair.links[1]!.down.middlebox = rewritePayload(() => true);
    const conversation = converse(pair, 1_000, 2_000_000);
    pair.network.run(60 * second, () => conversation.client.closed && conversation.server()?.closed === true);
    checkStreams(conversation, 1_000, 2_000_000);
    expect(conversation.client.connection.info().mptcp).to.equal(true);
    expect(pair.network.eventsNamed("mptcp:reset-received", pair.server).length).to.be.greaterThan(0);
  });
});

describe("DSS checksums", () => {
  for (const [client, server] of [
    [true, false],
    [false, true],
    [true, true],
  ] as const) {
    it(`are used when asked for by ${client ? "the client" : ""}${client && server ? " and " : ""}${server ? "the server" : ""}`, () => {
      let withChecksum = 0;
      let without = 0;
      const count: Middlebox = dropWhen((segment) => {
        if (segment.mptcp.hasMapping) segment.mptcp.checksum >= 0 ? withChecksum++ : without++;
        return false;
      });
      const { conversation } = transfer(
        { client: { dssChecksum: client }, server: { dssChecksum: server } },
        count,
        count,
      );
      expect(conversation.client.connection.info().mptcp).to.equal(true);
      expect(without).to.equal(0);
      expect(withChecksum).to.be.greaterThan(100);
    });
  }
});

describe("MP_FAIL on the only subflow", () => {
  it("makes no packet larger than the MTU: the infinite mapping takes room from the data", () => {
    const pair = makePair({ paths: [wifi], server: { dssChecksum: true } });
    let seen = 0;
    const [sizes, announced, plain] = [[0], [0], [0]];
    const watch: Middlebox = (frame) => {
      const segment = segmentOf(frame);
      if (segment === undefined || segment.payloadLength === 0) return true;
      sizes.push(frame.length);
      if (segment.mptcp.hasMapping && segment.mptcp.dataLength === 0) announced.push(frame.length);
      else if (segment.mptcp.present === 0) plain.push(frame.length);
      return true;
    };
    pair.links[0]!.down.middlebox = chain(
      rewritePayload((segment) => segment.mptcp.has(mptcpPresent.dss) && seen++ === 3),
      watch,
    );
    const conversation = converse(pair, 1_000, 300_000);
    pair.network.run(60 * second, () => conversation.client.closed && conversation.server()?.closed === true);
    expect(Math.max(...sizes)).to.equal(1514);
    expect(announced).to.have.length.greaterThan(1);
    // Once it has been acknowledged it is not repeated.
    expect(plain).to.have.length.greaterThan(announced.length);
    expect(conversation.client.received).to.equal(300_000);
  });
});

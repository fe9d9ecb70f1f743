import { expect } from "chai";
import { converse, makePair, wifi } from "../testing/pair.ts";
import { segmentOf } from "../testing/wire-tap.ts";
import type { TcpSegment } from "../wire/tcp-segment.ts";
import type { TcpOptions } from "./tcp-options.ts";

const second = 1_000_000;

function idlePair(tcp: TcpOptions) {
  const pair = makePair({ paths: [wifi], client: { mptcp: false, tcp } });
  const conversation = converse(pair, 1_000, 0, { endsAfterSending: false });
  pair.network.run(2 * second);
  return { pair, link: pair.links[0]!, client: conversation.client, server: conversation.server()! };
}

const keepAlive = { idleMicroseconds: 10 * second, intervalMicroseconds: second, probes: 3 };

describe("keep-alive (RFC 9293 §3.8.4)", () => {
  it("is off by default: nothing is sent, for hours", () => {
    const { pair, link } = idlePair({});
    const before = link.up.frames;
    pair.network.run(10_000 * second);
    expect(link.up.frames - before).to.equal(0);
  });

  it("is switched on and off while the connection lives", () => {
    const { pair, link, client } = idlePair({});
    client.connection.setKeepAlive(keepAlive, pair.network.now);
    const before = link.down.frames;
    pair.network.run(100 * second);
    expect(link.down.frames - before).to.equal(10);
    client.connection.setKeepAlive(undefined, pair.network.now);
    pair.network.run(1_000 * second);
    expect([client.closed, link.down.frames - before]).to.deep.equal([false, 10]);
  });

  it("probes a silent peer, whose answer keeps the connection", () => {
    const { pair, link, client } = idlePair({ keepAlive });
    const before = link.down.frames;
    pair.network.run(100 * second);
    expect([client.closed, link.down.frames - before]).to.deep.equal([false, 10]);
  });

  it("carries no data (SHLD-12)", () => {
    const { pair, link } = idlePair({ keepAlive });
    const probes: TcpSegment[] = [];
    link.up.middlebox = (frame) => {
      const segment = segmentOf(frame);
      if (segment !== undefined) probes.push(segment);
      return true;
    };
    pair.network.run(25 * second);
    expect(probes.map(({ payloadLength, sequence }) => [payloadLength, sequence - probes[0]!.sequence])).to.deep.equal([
      [0, 0],
      [0, 0],
    ]);
  });

  it("ends the connection with ETIMEDOUT when so many probes have no answer", () => {
    const { pair, link, client } = idlePair({ keepAlive });
    link.down.blackhole = true;
    expect(pair.network.run(20 * second, () => client.closed)).to.equal(true);
    expect(client.error).to.equal("ETIMEDOUT");
  });
});

describe("user timeout (RFC 5482 §3.1)", () => {
  it("ends a connection whose data nobody acknowledges, within that time and its last retransmission", () => {
    const { pair, link, client } = idlePair({ userTimeoutMicroseconds: 5 * second });
    link.up.blackhole = true;
    client.toSend += 1_000;
    client.send();
    const start = pair.network.now;
    expect(pair.network.run(60 * second, () => client.closed)).to.equal(true);
    expect([client.error, (pair.network.now - start) / second < 13]).to.deep.equal(["ETIMEDOUT", true]);
  });
});

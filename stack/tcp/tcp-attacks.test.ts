import { expect } from "chai";
import { checksumState } from "../frame.ts";
import { converse, makePair, serverPort, wifi } from "../testing/pair.ts";
import { segmentOf } from "../testing/wire-tap.ts";
import { sequenceNumber } from "../wire/sequence.ts";
import { tcpFlag, TcpSegment } from "../wire/tcp-segment.ts";
import { writeTcp } from "../wire/tcp-emit.ts";
import { writeIpv4Header } from "../wire/ipv4.ts";
import { parseIpv4 } from "../wire/ip-address.ts";

const second = 1_000_000;
const clientAddress = parseIpv4("10.0.1.2")!;
const serverAddress = parseIpv4("10.0.100.2")!;

/** An established plain connection, what the client sent last, and a way to forge segments from it. */
function victim() {
  const pair = makePair({ paths: [wifi], client: { mptcp: false } });
  const last = { sequence: 0, acknowledgement: 0, port: 0, timestamp: 0 };
  pair.links[0]!.up.middlebox = (frame) => {
    const segment = segmentOf(frame);
    if (segment !== undefined) {
      last.sequence = segment.sequence + segment.payloadLength;
      last.acknowledgement = segment.acknowledgement;
      last.port = segment.sourcePort;
      last.timestamp = segment.timestampValue;
    }
    return true;
  };
  const conversation = converse(pair, 1_000, 1_000, { endsAfterSending: false });
  pair.network.run(second);
  const before = pair.links[0]!.down.frames;
  const forge = (flags: number, sequenceOffset: number, acknowledgementOffset = 0): void => {
    const segment = new TcpSegment();
    segment.sourcePort = last.port;
    segment.destinationPort = serverPort;
    segment.sequence = sequenceNumber(last.sequence + sequenceOffset);
    segment.acknowledgement = sequenceNumber(last.acknowledgement + acknowledgementOffset);
    segment.flags = flags;
    segment.hasTimestamps = true;
    segment.timestampValue = last.timestamp;
    const frame = new Uint8Array(100);
    const view = new DataView(frame.buffer);
    view.setUint16(12, 0x0800);
    const length = writeTcp(segment, view, 34);
    writeIpv4Header(view, 14, 20 + length, 0, 6, clientAddress, serverAddress);
    pair.server.handleFrame(0, frame, 0, 34 + length, checksumState.valid, pair.network.now);
    pair.network.run(10_000);
  };
  return { pair, server: conversation.server()!, forge, answers: () => pair.links[0]!.down.frames - before };
}

describe("blind attacks (RFC 5961)", () => {
  it("a RST at exactly the next sequence number ends the connection", () => {
    const { server, forge } = victim();
    forge(tcpFlag.rst, 0);
    expect(server.error).to.equal("ECONNRESET");
  });

  it("a RST elsewhere in the window is challenged, not believed (§3.2)", () => {
    const { server, forge, answers } = victim();
    forge(tcpFlag.rst, 1_000);
    expect([server.closed, answers()]).to.deep.equal([false, 1]);
  });

  it("a RST outside of the window is ignored", () => {
    const { server, forge, answers } = victim();
    forge(tcpFlag.rst, -5_000_000);
    expect([server.closed, answers()]).to.deep.equal([false, 0]);
  });

  it("a SYN is challenged (§4.2)", () => {
    const { server, forge, answers } = victim();
    forge(tcpFlag.syn, 0);
    expect([server.closed, answers()]).to.deep.equal([false, 1]);
  });

  it("an acknowledgement of what was never sent is challenged (§5.2)", () => {
    const { server, forge, answers } = victim();
    forge(tcpFlag.ack, 0, 100_000);
    expect([server.closed, answers()]).to.deep.equal([false, 1]);
  });

  it("challenges are bounded in rate (§7)", () => {
    const { forge, answers } = victim();
    for (let i = 0; i < 50; i++) forge(tcpFlag.syn, 0);
    expect(answers()).to.be.within(1, 20);
  });
});

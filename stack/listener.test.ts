import { expect } from "chai";
import { checksumState } from "./frame.ts";
import { converse, makePair, serverPort, wifi } from "./testing/pair.ts";
import { parseIpv4 } from "./wire/ip-address.ts";
import { ipProtocol, writeIpv4Header } from "./wire/ipv4.ts";
import { writeTcp } from "./wire/tcp-emit.ts";
import { tcpFlag, TcpSegment } from "./wire/tcp-segment.ts";

const second = 1_000_000;

describe("a flood of SYNs from nowhere (RFC 4987)", () => {
  it("shuts others out for a second or two, and keeps no more than the backlog", () => {
    const pair = makePair({ paths: [wifi] });
    const { network, server } = pair;
    const conversation = converse(pair, 0, 0);
    network.run(second);
    const flood = (count: number, firstPort: number): void => {
      for (let i = 0; i < count; i++) {
        const segment = new TcpSegment();
        segment.sourcePort = firstPort + i;
        segment.destinationPort = serverPort;
        segment.flags = tcpFlag.syn;
        const frame = new Uint8Array(60);
        const view = new DataView(frame.buffer);
        view.setUint16(12, 0x0800);
        const length = writeTcp(segment, view, 34);
        const [source, destination] = [parseIpv4("10.9.9.9")!, parseIpv4("10.0.100.2")!];
        writeIpv4Header(view, 14, 20 + length, 0, ipProtocol.tcp, source, destination);
        server.handleFrame(0, frame, 0, 34 + length, checksumState.valid, network.now);
      }
    };
    const before = server.connections.length;
    flood(2_000, 1_000);
    expect(server.connections.length - before).to.equal(511);
    const late = pair.client.connect({ remoteAddress: "10.0.100.2", remotePort: serverPort }, network.now);
    network.run(4 * second);
    expect([late.established, conversation.client.established]).to.deep.equal([true, true]);
    expect(server.connections.length - before).to.be.at.most(512);
  });
});

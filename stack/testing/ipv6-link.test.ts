import { expect } from "chai";
import { checksumState, type FrameSink } from "../frame.ts";
import { formatIpAddress } from "../wire/ip-address.ts";
import { type Ipv6Address, parseIpv6 } from "../wire/ipv6-address.ts";
import { finishIcmpv6, icmpv6ChecksumIsRight, icmpv6Type } from "../wire/icmpv6.ts";
import { ipProtocol } from "../wire/ipv4.ts";
import { Ipv6Header, writeIpv6Header } from "../wire/ipv6.ts";
import { neighbourSolicitation, parseNeighbourMessage } from "../wire/neighbour-discovery.ts";
import { writeTcp } from "../wire/tcp-emit.ts";
import { tcpFlag, TcpSegment } from "../wire/tcp-segment.ts";
import { answerNeighbour } from "./neighbour-answers.ts";
import { converse, makePair, type Pair, type PairOptions, serverPort, wifi } from "./pair.ts";

const second = 1_000_000;
const server = "fd00:0:0:64::2";
const sixes: PairOptions = { clientFamilies: ["ipv6", "ipv6"], serverFamily: "ipv6" };

describe("an IPv6 interface on its link", () => {
  it("answers who asks for its addresses, global and link-local, and who looks for duplicates of them", () => {
    for (const [target, asker, expected] of [
      [server, "fe80::9", "fe80::9"],
      ["fe80::ff:fe00:6401", "fe80::9", "fe80::9"],
      [server, "::", "ff02::1"],
      ["fd00:0:0:64::3", "fe80::9", undefined],
    ] as const) {
      const answer = ask(target, asker, 255);
      expect(answer, `${target} for ${asker}`).to.equal(expected);
    }
  });

  it("answers a ping to any of its addresses, to a group with one of its own, to a wrong checksum not at all", () => {
    const pinged = (target: string, asker: string, damage = 0): string | undefined => {
      const pair = makePair({ paths: [wifi], ...sixes });
      const [to, from] = [parseIpv6(target)!, parseIpv6(asker)!];
      const request = Uint8Array.of(icmpv6Type.echoRequest, 0, 0, 0, 1, 2, 3, 4, 5, 6, 7);
      finishIcmpv6(request, from, to);
      request[10]! ^= damage;
      deliver(pair, packet(from, to, ipProtocol.icmpv6, request));
      let answer: string | undefined;
      pair.server.pollTransmit(
        pair.network.now,
        sendingFrom((_, frame) => {
          if (frame[54] === icmpv6Type.neighbourSolicitation) deliver(pair, answerNeighbour(frame) as Uint8Array);
        }),
      );
      pair.server.pollTransmit(
        pair.network.now,
        sendingFrom((ip, frame) => {
          expect([frame[54], ...frame.subarray(58)]).to.deep.equal([icmpv6Type.echoReply, 1, 2, 3, 4, 5, 6, 7]);
          expect(icmpv6ChecksumIsRight(frame, 54, frame.length - 54, ip.source, ip.destination)).to.equal(true);
          expect(ip.destination).to.equal(from);
          answer = formatIpAddress(ip.source);
        }),
      );
      return answer;
    };
    const ownLinkLocal = "fe80::ff:fe00:6401";
    expect(pinged(server, "fd00:0:0:1::2")).to.equal(server);
    expect(pinged(ownLinkLocal, "fe80::9")).to.equal(ownLinkLocal);
    expect(pinged("ff02::1", "fe80::9")).to.equal(ownLinkLocal);
    expect(pinged("ff02::1", "fd00:0:0:64::9")).to.equal(server);
    expect(pinged("fd00:0:0:64::3", "fe80::9")).to.equal(undefined);
    expect(pinged(server, "fd00:0:0:1::2", 1)).to.equal(undefined);
  });

  it("believes nobody from beyond a router (RFC 4861 §7.1.1)", () => {
    expect(ask(server, "fe80::9", 254)).to.equal(undefined);
  });

  it("asks again, keeps what waits, and gives up", () => {
    const pair = makePair({ paths: [wifi], ...sixes });
    let solicitations = 0;
    pair.links[0]!.up.middlebox = () => ++solicitations > 2;
    const connection = pair.client.connect({ remoteAddress: server, remotePort: 9 }, pair.network.now);
    let error: string | undefined;
    connection.observer = { onClosed: (reason) => (error = reason) } as typeof connection.observer & object;
    pair.network.run(2 * second);
    expect([solicitations > 2, error]).to.deep.equal([true, "ECONNREFUSED"]);
  });

  it("keeps nothing of those who are only answered with a reset, however many", function () {
    this.timeout(120_000);
    const pair = makePair({ paths: [wifi], ...sixes });
    const conversation = converse(pair, 0, 0, { remoteAddress: server, endsAfterSending: false });
    pair.network.run(second);
    const frame = new Uint8Array(14 + 40 + 20);
    const view = new DataView(frame.buffer);
    const segment = new TcpSegment();
    segment.flags = tcpFlag.syn;
    segment.destinationPort = 9;
    const length = writeTcp(segment, view, 54);
    view.setUint16(12, 0x86dd);
    writeIpv6Header(view, 14, length, ipProtocol.tcp, parseIpv6("2001:db8::1")!, parseIpv6(server)!);
    const flood = (count: number): number => {
      const before = process.memoryUsage().heapUsed;
      let resets = 0;
      for (let i = 0; i < count; i++) {
        view.setUint32(14 + 16, i);
        pair.server.handleFrame(0, frame, 0, frame.length, checksumState.valid, pair.network.now);
        pair.server.pollTransmit(pair.network.now, { transmit: () => resets++ });
      }
      expect(resets).to.equal(count);
      return process.memoryUsage().heapUsed - before;
    };
    flood(20_000);
    expect(flood(200_000)).to.be.below(50 << 20);
    const late = pair.client.connect({ remoteAddress: server, remotePort: serverPort }, pair.network.now);
    pair.network.run(second);
    expect([late.established, conversation.client.closed]).to.deep.equal([true, false]);
  });
});

/** An Ethernet frame with `payload` of `protocol`. */
function packet(from: Ipv6Address, to: Ipv6Address, protocol: number, payload: Uint8Array, hopLimit = 64): Uint8Array {
  const frame = new Uint8Array(54 + payload.length);
  const view = new DataView(frame.buffer);
  view.setUint16(12, 0x86dd);
  writeIpv6Header(view, 14, payload.length, protocol, from, to, 0, 0, hopLimit);
  frame.set(payload, 54);
  return frame;
}

function deliver({ server: host, network }: Pair, frame: Uint8Array): void {
  host.handleFrame(0, frame, 0, frame.length, checksumState.unverified, network.now);
}

/** Tells of each frame that is sent, and of its IPv6 header. */
function sendingFrom(tell: (ip: Ipv6Header, frame: Uint8Array) => void): FrameSink {
  return {
    transmit: ({ header, headerLength }) => {
      const frame = header.slice(0, headerLength);
      const ip = new Ipv6Header();
      expect(ip.parse(new DataView(frame.buffer), 14, headerLength - 14)).to.equal(true);
      tell(ip, frame);
    },
  };
}

/** Asks the server's interface for `target`: to whom the answer goes, undefined: none came. */
function ask(target: string, asker: string, hopLimit: number): string | undefined {
  const pair = makePair({ paths: [wifi], ...sixes });
  const [sought, source] = [parseIpv6(target)!, parseIpv6(asker)!];
  const message = neighbourSolicitation(sought, source, sought, asker === "::" ? undefined : { high: 0x0255, low: 9 });
  deliver(pair, packet(source, sought, ipProtocol.icmpv6, message, hopLimit));
  let answeredTo: string | undefined;
  pair.server.pollTransmit(
    pair.network.now,
    sendingFrom((ip, sent) => {
      const answer = parseNeighbourMessage(new DataView(sent.buffer), 54, sent.length - 54)!;
      expect([answer.isSolicitation, answer.target, ip.hopLimit]).to.deep.equal([false, sought, 255]);
      expect(answer.mac).to.deep.equal({ high: 0x0200, low: 0x6401 });
      answeredTo = formatIpAddress(ip.destination);
    }),
  );
  return answeredTo;
}

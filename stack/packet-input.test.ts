import { expect } from "chai";
import { checksumState } from "./frame.ts";
import { converse, makePair, serverPort, wifi } from "./testing/pair.ts";
import { checksumAdd, checksumFinish, pseudoHeaderSum } from "./wire/checksum.ts";
import { parseIpv4 } from "./wire/ip-address.ts";
import { ipProtocol, writeIpv4Header } from "./wire/ipv4.ts";
import { writeTcp } from "./wire/tcp-emit.ts";
import { tcpFlag, TcpSegment } from "./wire/tcp-segment.ts";

const second = 1_000_000;

interface Arrival {
  source?: string;
  destination?: string;
  /** Octets between the IP header and the segment, a multiple of four. */
  ipOptions?: readonly number[];
  /** Added to the checksum. */
  error?: number;
}

/** A SYN comes to a listening host: how many connections there are then, and how many frames it sends. */
function afterSyn({ source = "10.9.9.9", destination = "10.0.100.2", ipOptions = [], error = 0 }: Arrival) {
  const { network, server } = makePair({ paths: [wifi] });
  server.listen({ port: serverPort }, network.now);
  const segment = new TcpSegment();
  segment.sourcePort = 40_000;
  segment.destinationPort = serverPort;
  segment.flags = tcpFlag.syn;
  segment.mss = 1460;
  const frame = new Uint8Array(200);
  const view = new DataView(frame.buffer);
  view.setUint16(12, 0x0800);
  const [from, to] = [parseIpv4(source)!, parseIpv4(destination)!];
  const start = 34 + ipOptions.length;
  const length = writeTcp(segment, view, start);
  const sum = checksumAdd(pseudoHeaderSum(from, to, ipProtocol.tcp, length), frame, start, length);
  view.setUint16(start + 16, (checksumFinish(sum) + error) & 0xffff);
  writeIpv4Header(view, 14, start - 14 + length, 0, ipProtocol.tcp, from, to);
  frame.set(ipOptions, 34);
  view.setUint8(14, 0x40 | (5 + ipOptions.length / 4));
  view.setUint16(24, 0);
  view.setUint16(24, checksumFinish(checksumAdd(0, frame, 14, 20 + ipOptions.length)));
  server.handleFrame(0, frame, 0, start + length, checksumState.unverified, network.now);
  let frames = 0;
  server.pollTransmit(network.now, { transmit: () => frames++ });
  return { connections: server.connections.length, frames };
}

const answered = { connections: 1, frames: 1 };
const ignored = { connections: 0, frames: 0 };

describe("a SYN", () => {
  it("opens a connection", () => {
    expect(afterSyn({})).to.deep.equal(answered);
  });

  it("with a wrong checksum is dropped without a word (RFC 9293 §3.1, MUST-3)", () => {
    for (const error of [1, 0x100, 0x8000]) expect(afterSyn({ error })).to.deep.equal(ignored);
  });

  it("behind IP options that nobody knows is taken (RFC 9293 §3.9.2, MUST-50)", () => {
    expect(afterSyn({ ipOptions: [0x9e, 4, 1, 2, 1, 1, 1, 0] })).to.deep.equal(answered);
  });

  for (const destination of ["255.255.255.255", "10.0.100.255", "224.0.0.1"]) {
    it(`to ${destination} is dropped without a word (RFC 9293 §3.9.2.3, MUST-57)`, () => {
      expect(afterSyn({ destination })).to.deep.equal(ignored);
    });
  }

  for (const source of ["0.0.0.0", "255.255.255.255", "10.0.100.255", "239.1.1.1", "127.0.0.1", "10.0.100.2"]) {
    it(`from ${source} is dropped without a word (RFC 9293 §3.9.2.3, MUST-63)`, () => {
      expect(afterSyn({ source })).to.deep.equal(ignored);
    });
  }
});

describe("source quench (RFC 9293 §3.9.2.2, MUST-55; RFC 6633)", () => {
  it("about a segment under way changes nothing", () => {
    const run = (quench: boolean): number => {
      const pair = makePair({ paths: [wifi], client: { mptcp: false } });
      const { client } = pair;
      pair.links[0]!.up.middlebox = (frame) => {
        if (!quench || frame[12] !== 8 || frame[13] !== 0) return true;
        const message = new Uint8Array(14 + 20 + 8 + 28);
        const view = new DataView(message.buffer);
        view.setUint16(12, 0x0800);
        const [router, host] = [parseIpv4("10.0.1.1")!, parseIpv4("10.0.1.2")!];
        writeIpv4Header(view, 14, message.length - 14, 0, ipProtocol.icmp, router, host);
        view.setUint8(34, 4);
        message.set(frame.subarray(14, 42), 42);
        view.setUint16(36, checksumFinish(checksumAdd(0, message, 34, message.length - 34)));
        pair.network.at(pair.network.now + 1, () =>
          client.handleFrame(0, message, 0, message.length, checksumState.valid, pair.network.now),
        );
        return true;
      };
      const { server } = converse(pair, 300_000, 0);
      expect(pair.network.run(60 * second, () => server()?.received === 300_000)).to.equal(true);
      return pair.network.now;
    };
    expect(run(true)).to.equal(run(false));
  });
});

describe("listeners on one port (RFC 9293 §3.9.1.1, MUST-42)", () => {
  it("at different addresses each take their own connections", () => {
    const { network, server, client } = makePair({ serverInterfaces: 2 });
    const taken: string[] = [];
    for (const address of ["10.0.100.2", "10.0.101.2"]) {
      const listener = server.listen({ address, port: serverPort }, network.now);
      listener.onConnection = () => void taken.push(`${address} took ${listener.accept()!.localAddress}`);
    }
    for (const remoteAddress of ["10.0.101.2", "10.0.100.2"])
      client.connect({ remoteAddress, remotePort: serverPort, mptcp: false }, network.now);
    network.run(second);
    expect(taken.sort()).to.deep.equal(["10.0.100.2 took 10.0.100.2", "10.0.101.2 took 10.0.101.2"]);
  });
});

describe("an open to what is no single host (RFC 9293 §3.9.1.1, MUST-46)", () => {
  for (const remoteAddress of ["255.255.255.255", "10.0.1.255", "224.0.0.1", "0.0.0.0", "ff02::1"]) {
    it(`is refused: ${remoteAddress}`, () => {
      const { network, client } = makePair();
      expect(() => client.connect({ remoteAddress, remotePort: serverPort }, network.now))
        .to.throw()
        .with.property("code", "ENETUNREACH");
    });
  }
});

import { expect } from "chai";
import { makePair, wifi } from "../testing/pair.ts";
import { parseTcp, tcpChecksumIsRight } from "../wire/tcp-parse.ts";
import { checksumAdd, checksumFinish, pseudoHeaderSum } from "../wire/checksum.ts";
import { ipProtocol } from "../wire/ipv4.ts";
import { parseIpv4 } from "../wire/ip-address.ts";
import { TcpSegment } from "../wire/tcp-segment.ts";

/** A SYN without data with these octets as options; their number is a multiple of four. */
function synWith(options: readonly number[]): Uint8Array {
  const bytes = new Uint8Array(20 + options.length);
  bytes[12] = (bytes.length / 4) << 4;
  bytes[13] = 2;
  bytes.set(options, 20);
  return bytes;
}

function parsed(options: readonly number[]): TcpSegment {
  const bytes = synWith(options);
  const segment = new TcpSegment();
  expect(parseTcp(segment, bytes, new DataView(bytes.buffer), 0, bytes.length)).to.equal(true);
  return segment;
}

describe("options of a segment (RFC 9293 §3.1)", () => {
  it("that are not known are skipped by their length (MUST-6)", () => {
    expect(parsed([253, 6, 2, 4, 9, 9, 1, 1, 2, 4, 0x05, 0xb4]).mss).to.equal(1460);
  });

  it("need not stand at even places (MUST-64)", () => {
    expect(parsed([1, 2, 4, 0x05, 0xb4, 3, 3, 7]).mss).to.equal(1460);
    expect(parsed([1, 2, 4, 0x05, 0xb4, 3, 3, 7]).windowScale).to.equal(7);
  });
});

describe("a port (RFC 9293 §3.9.1.1)", () => {
  it("can be listened on while a connection from it is in SYN-SENT, and takes another (MUST-42)", () => {
    const pair = makePair({ paths: [wifi] });
    const { network, client, server } = pair;
    const port = 7000;
    // Nobody answers there.
    const opening = client.connect({ remoteAddress: "10.0.100.77", remotePort: 80, localPort: port }, network.now);
    network.run(100_000);
    const listener = client.listen({ port }, network.now);
    const other = server.connect({ remoteAddress: "10.0.1.2", remotePort: port }, network.now);
    network.run(1_000_000);
    expect([opening.established, other.established, listener.accept() !== undefined]).to.deep.equal([
      false,
      true,
      true,
    ]);
  });
});

describe("the checksum of a segment (RFC 9293 §3.1, MUST-3)", () => {
  const source = parseIpv4("192.0.2.1")!;
  const destination = parseIpv4("198.51.100.1")!;
  const other = parseIpv4("198.51.100.2")!;

  it("is wrong as soon as one bit of segment or address differs", () => {
    const bytes = synWith([2, 4, 5, 0xb4]);
    const sum = pseudoHeaderSum(source, destination, ipProtocol.tcp, bytes.length);
    new DataView(bytes.buffer).setUint16(16, checksumFinish(checksumAdd(sum, bytes, 0, bytes.length)));
    const isRight = (to = destination): boolean => tcpChecksumIsRight(bytes, 0, bytes.length, source, to);
    expect(isRight()).to.equal(true);
    expect(isRight(other)).to.equal(false);
    for (let bit = 0; bit < 8 * bytes.length; bit++) {
      bytes[bit >> 3]! ^= 1 << (bit & 7);
      expect(isRight(), `bit ${bit}`).to.equal(false);
      bytes[bit >> 3]! ^= 1 << (bit & 7);
    }
  });
});

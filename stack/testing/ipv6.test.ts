import { expect } from "chai";
import { checksumState } from "../frame.ts";
import { type Host, NetworkError } from "../host.ts";
import { checksumAdd, checksumFinish, pseudoHeaderSum } from "../wire/checksum.ts";
import { formatIpAddress, parseIpAddress } from "../wire/ip-address.ts";
import {
  type Ipv6Address,
  ipv6FromWords,
  isSolicitedNodeOf,
  keepIpv6,
  linkLocalFor,
  parseIpv6,
  solicitedNode,
} from "../wire/ipv6-address.ts";
import { ipProtocol } from "../wire/ipv4.ts";
import { mptcpPresent } from "../wire/mptcp-options.ts";
import { Ipv6Header, writeIpv6Header } from "../wire/ipv6.ts";
import { parseTcp, tcpChecksumIsRight } from "../wire/tcp-parse.ts";
import { TcpSegment } from "../wire/tcp-segment.ts";
import { boxFor, tamperings } from "./property/tampering.ts";
import { converse, type Conversation, makePair, type Pair, type PairOptions, serverPort, wifi } from "./pair.ts";

const second = 1_000_000;
const server = "fd00:0:0:64::2";
const size = 300_000;

const done = ({ client, server: accepted }: Conversation): boolean => client.closed && accepted()?.closed === true;

/** Runs a download of `size` bytes to its end. */
function download(pair: Pair, options: Parameters<typeof converse>[3], bytes = size): Conversation {
  const conversation = converse(pair, 1_000, bytes, options);
  pair.network.run(60 * second, () => done(conversation));
  const accepted = conversation.server()!;
  expect([conversation.client.received, conversation.client.corrupt]).to.deep.equal([bytes, false]);
  expect([accepted.received, accepted.corrupt]).to.deep.equal([1_000, false]);
  expect([conversation.client.error, accepted.error]).to.deep.equal([undefined, undefined]);
  return conversation;
}

/** Addresses of both ends of each established subflow of the client. */
function subflowsOf({ network, client }: Pair): string[] {
  return network
    .eventsNamed("mptcp:subflow-established", client)
    .map((event) => `${event.localAddress}>${event.remoteAddress}`)
    .toSorted();
}

const sixes: PairOptions = { clientFamilies: ["ipv6", "ipv6"], serverFamily: "ipv6" };

describe("over IPv6", () => {
  for (const { mptcp, gso } of [
    { mptcp: false, gso: false },
    { mptcp: false, gso: true },
    { mptcp: true, gso: false },
    { mptcp: true, gso: true },
  ])
    it(`${mptcp ? "MPTCP" : "TCP"} carries bytes, ${gso ? "with" : "without"} segmentation offload, by a link-local router`, () => {
      const pair = makePair({ ...sixes, gso, client: { mptcp } });
      download(pair, { remoteAddress: server });
      expect(subflowsOf(pair)).to.deep.equal(
        (mptcp ? [1, 2] : [1]).map((network) => `fd00:0:0:${network}::2>${server}`),
      );
    });

  it("segments are 20 bytes shorter, their checksums cover 128-bit addresses, and their flow label stays", () => {
    const pair = makePair({ paths: [wifi], ...sixes });
    const lengths = new Set<number>();
    const labels = new Set<number>();
    let wrong = 0;
    pair.links[0]!.down.middlebox = (frame) => {
      const view = new DataView(frame.buffer, frame.byteOffset, frame.byteLength);
      const header = new Ipv6Header();
      if (!header.parse(view, 14, frame.length - 14) || header.protocol !== ipProtocol.tcp) return true;
      lengths.add(frame.length);
      labels.add(view.getUint32(14) & 0xf_ffff);
      if (!tcpChecksumIsRight(frame, 54, frame.length - 54, header.source, header.destination)) wrong++;
      return true;
    };
    download(pair, { remoteAddress: server, mptcp: false });
    expect([Math.max(...lengths), labels.size, labels.has(0), wrong]).to.deep.equal([1514, 1, false, 0]);
  });

  it("a host that cuts checksums is not believed", () => {
    const pair = makePair({ paths: [wifi], ...sixes });
    let changed = 0;
    pair.links[0]!.down.middlebox = (frame) => {
      if (frame.length > 1000 && changed++ === 5) frame[frame.length - 1]! ^= 1;
      return true;
    };
    download(pair, { remoteAddress: server, mptcp: false });
    expect(changed).to.be.above(5);
  });

  for (const mptcp of [false, true])
    it(`the path's MTU is learnt from "packet too big" (${mptcp ? "MPTCP" : "TCP"})`, () => {
      const pair = makePair({ paths: [wifi], ...sixes, server: { mptcp } });
      let refused = 0;
      pair.links[0]!.down.middlebox = (frame) => {
        if (frame.length - 14 <= 1300) return true;
        refused++;
        tooBig(pair, frame, 1300);
        return false;
      };
      download(pair, { remoteAddress: server });
      expect(refused).to.be.within(1, 20);
    });

  it("a router that claims less than 1280, or quotes what nobody sent, is not believed (RFC 8201 §4, RFC 5927 §4.1)", () => {
    const pair = makePair({ paths: [wifi], ...sixes });
    let largest = 0;
    let answered = 0;
    pair.links[0]!.down.middlebox = (frame) => {
      if (answered > 4) largest = Math.max(largest, frame.length);
      if (frame.length < 1400) return true;
      answered++;
      tooBig(pair, frame, 1279);
      tooBig(pair, frame, 1300, 100_000_000);
      return true;
    };
    download(pair, { remoteAddress: server, mptcp: false });
    expect([answered > 4, largest]).to.deep.equal([true, 1514]);
  });

  it("nobody listening is heard of at once", () => {
    const pair = makePair({ paths: [wifi], ...sixes });
    const conversation = converse(pair, 0, 0, { remoteAddress: server });
    const other = pair.client.connect({ remoteAddress: server, remotePort: serverPort + 1 }, pair.network.now);
    let error: string | undefined;
    other.observer = { onClosed: (reason) => (error = reason) } as typeof other.observer & object;
    pair.network.run(second);
    expect([conversation.client.established, error]).to.deep.equal([true, "ECONNREFUSED"]);
  });
});

describe("boxes on paths of IPv6", () => {
  // Other bytes under a right TCP checksum are for the checksum of the DSS, whatever the family.
  for (const kind of tamperings.filter((name) => name !== "rewrite-payload"))
    it(`that ${kind} leave the stream whole, or end it with an error`, () => {
      const pair = makePair(sixes);
      for (const [value, { up, down }] of pair.links.entries()) {
        up.middlebox = boxFor({ kind, value: value + 3 });
        down.middlebox = boxFor({ kind, value: value + 7 });
      }
      const conversation = converse(pair, 50_000, 200_000, { remoteAddress: server });
      const { client } = conversation;
      pair.network.run(600 * second, () => done(conversation));
      const accepted = conversation.server();
      expect([client.corrupt, accepted?.corrupt], "wrong bytes").to.deep.equal([false, false]);
      expect([client.closed, accepted?.closed], "ended").to.deep.equal([true, true]);
      if (client.error === undefined) expect(client.received).to.equal(200_000);
      if (accepted?.error === undefined) expect(accepted?.received).to.equal(50_000);
    });
});

describe("both families on one host", () => {
  it("joins go over IPv6 too when the connection began on IPv4, from the address that ADD_ADDR gave", () => {
    const pair = makePair({ clientFamilies: ["ipv4", "ipv6"], serverFamily: "both" });
    download(pair, {});
    expect(subflowsOf(pair)).to.deep.equal(["10.0.1.2>10.0.100.2", `fd00:0:0:2::2>${server}`]);
  });

  it("and over IPv4 when it began on IPv6", () => {
    const pair = makePair({ clientFamilies: ["ipv6", "ipv4"], serverFamily: "both" });
    download(pair, { remoteAddress: server });
    expect(subflowsOf(pair)).to.deep.equal(["10.0.2.2>10.0.100.2", `fd00:0:0:1::2>${server}`]);
  });

  it("an IPv6 address with a port leaves no room for timestamps: its option goes without them", () => {
    const pair = makePair({ paths: [wifi], ...sixes });
    const conversation = converse(pair, 0, 0, { remoteAddress: server, endsAfterSending: false });
    pair.network.run(second);
    const seen: [port: number, timestamps: boolean, dataOffset: number][] = [];
    pair.links[0]!.down.middlebox = (frame) => {
      const segment = new TcpSegment();
      parseTcp(segment, frame, new DataView(frame.buffer, frame.byteOffset), 54, frame.length - 54);
      if (segment.mptcp.has(mptcpPresent.addAddress))
        seen.push([segment.mptcp.addAddress.port, segment.hasTimestamps, 4 * (frame[66]! >> 4)]);
      return true;
    };
    const address = parseIpAddress("2001:db8::5")!;
    const hmac = { high: 1, low: 2 };
    const { connection } = conversation.server()!;
    connection.paths.sendSignal({ kind: "add-address", addressId: 9, address, port: 443, hmac });
    connection.paths.sendSignal({ kind: "add-address", addressId: 9, address, port: 0, hmac });
    pair.network.run(second);
    expect(seen).to.deep.equal([
      [443, false, 20 + 32],
      [0, true, 20 + 12 + 28],
    ]);
  });

  it("an address of the other family is no path", () => {
    const pair = makePair({ clientFamilies: ["ipv4", "ipv6"] });
    download(pair, {});
    expect(subflowsOf(pair)).to.deep.equal(["10.0.1.2>10.0.100.2"]);
    const connectTo = (host: Host, remoteAddress: string, localAddress?: string) => (): unknown =>
      host.connect({ remoteAddress, remotePort: 1, ...(localAddress && { localAddress }) }, pair.network.now);
    expect(connectTo(pair.server, "fd00:0:0:2::2"))
      .to.throw(NetworkError, "no route")
      .with.property("code", "ENETUNREACH");
    expect(connectTo(pair.client, server, "10.0.1.2"))
      .to.throw(NetworkError, "no route")
      .with.property("code", "ENETUNREACH");
    expect(connectTo(pair.client, server)).not.to.throw();
  });

  it("::ffff:a.b.c.d is IPv4, to connect and to listen", () => {
    const pair = makePair({ paths: [wifi], clientFamilies: ["both"], serverFamily: "both" });
    pair.server.listen({ address: "::ffff:10.0.100.2", port: 77 }, pair.network.now);
    const connection = pair.client.connect({ remoteAddress: "::ffff:10.0.100.2", remotePort: 77 }, pair.network.now);
    pair.network.run(second);
    expect([connection.established, connection.remoteAddress]).to.deep.equal([true, "10.0.100.2"]);
  });

  it("`::` listens for both, `0.0.0.0` and `::` alone for one each, and no two for one (RFC 3493 §3.7, §5.3)", () => {
    const {
      server: host,
      client,
      network,
    } = makePair({ paths: [wifi], clientFamilies: ["both"], serverFamily: "both" });
    const refusals: string[] = [];
    const listen = (options: { address?: string; ipv6Only?: boolean }, port: number): void => {
      try {
        host.listen({ port, ...options }, network.now);
      } catch (error) {
        refusals.push(`${port} ${(error as { code?: string }).code}`);
      }
    };
    listen({ address: "::" }, 1);
    listen({ address: "0.0.0.0" }, 1);
    listen({ address: server }, 1);
    listen({ address: "0.0.0.0" }, 2);
    listen({ address: "::", ipv6Only: true }, 2);
    listen({ address: "10.0.100.2" }, 2);
    listen({ address: server }, 3);
    listen({ address: "10.0.100.2" }, 3);
    listen({ address: "::", ipv6Only: true }, 3);
    listen({}, 3);
    listen({ address: "fd00::99" }, 4);
    listen({ address: "0.0.0.0" }, 5);
    expect(refusals).to.deep.equal([
      "1 EADDRINUSE",
      "1 EADDRINUSE",
      "2 EADDRINUSE",
      "3 EADDRINUSE",
      "3 EADDRINUSE",
      "4 EADDRNOTAVAIL",
    ]);
    const ports = [1, 2, 5].flatMap((port) =>
      ["10.0.100.2", server].map((remoteAddress) => client.connect({ remoteAddress, remotePort: port }, network.now)),
    );
    network.run(second);
    expect(ports.map(({ established }) => established)).to.deep.equal([true, true, true, true, true, false]);
  });
});

describe("addresses that fall into one place of the cache (ipv6-address.ts)", () => {
  /** As `address`, with another end, and in each other's way. */
  function rivalOf({ word0, word1, word2, word3 }: Ipv6Address, network: number): Ipv6Address {
    for (let end = 3; ; end++) {
      const held = ipv6FromWords(word0, (word1 & ~0xffff) | network, word2, word3 + end);
      ipv6FromWords(word0, word1, word2, word3);
      if (ipv6FromWords(held.word0, held.word1, held.word2, held.word3) !== held) return keepIpv6(held);
    }
  }

  it("find their flows, and have no second subflow to the peer of the first", () => {
    const rivals = [1, 2].map((network) => rivalOf(parseIpv6(server)!, network));
    const interfaces = rivals.map((address, i) => ({
      name: `eth${i}`,
      mac: `02:00:00:00:0${i + 1}:01`,
      mtu: 1500,
      gso: false,
      addresses: [{ address: formatIpAddress(address), prefixLength: 64 }],
      ipv6Gateway: "fe80::1",
    }));
    const pair = makePair({ ...sixes, client: { interfaces } });
    for (const [i, address] of rivals.entries()) pair.network.route(formatIpAddress(address), pair.links[i]!);
    download(pair, { remoteAddress: server });
    expect(subflowsOf(pair)).to.deep.equal(rivals.map((address) => `${formatIpAddress(address)}>${server}`));
    const info = pair.network.eventsNamed("mptcp:subflow-created", pair.server);
    expect(info.length).to.equal(2);
  });

  it("hear who asks for them by their group", () => {
    for (let end = 3; end < 5_000; end++) {
      const address = ipv6FromWords(0xfd00_0000, 0x64, 0, end);
      const group = solicitedNode(address);
      for (const other of [address, linkLocalFor({ high: 0x0200, low: end })]) solicitedNode(other);
      expect(isSolicitedNodeOf(group, address), `${end}`).to.equal(true);
      expect(isSolicitedNodeOf(group, ipv6FromWords(0xfd00_0000, 0x64, 0, end + 1))).to.equal(false);
    }
  });
});

/** "Packet too big" from a router to the server, about the packet in `frame` with its sequence number moved by `shift`. */
function tooBig(pair: Pair, frame: Uint8Array, mtu: number, shift = 0): void {
  const quoted = frame.slice(14, 14 + 1232);
  const quotedView = new DataView(quoted.buffer);
  quotedView.setUint32(44, quotedView.getUint32(44) + shift);
  const reply = new Uint8Array(54 + 8 + quoted.length);
  const view = new DataView(reply.buffer);
  const [router, to] = [parseIpv6("fd00:0:0:1::1")!, parseIpv6(server)!];
  const length = 8 + quoted.length;
  view.setUint16(12, 0x86dd);
  writeIpv6Header(view, 14, length, ipProtocol.icmpv6, router, to);
  view.setUint8(54, 2);
  view.setUint32(58, mtu);
  reply.set(quoted, 62);
  const sum = pseudoHeaderSum(router, to, ipProtocol.icmpv6, length);
  view.setUint16(56, checksumFinish(checksumAdd(sum, reply, 54, length)));
  pair.network.at(pair.network.now + 1_000, () =>
    pair.server.handleFrame(0, reply, 0, reply.length, checksumState.unverified, pair.network.now),
  );
}

import { expect } from "chai";
import { etherType, parseMac, readMac, writeEthernetHeader, type MacAddress } from "../../../stack/wire/ethernet.ts";
import { icmpv6ChecksumIsRight } from "../../../stack/wire/icmpv6.ts";
import { ipProtocol } from "../../../stack/wire/ipv4.ts";
import { Ipv6Header, writeIpv6Header } from "../../../stack/wire/ipv6.ts";
import { parseIpv6, solicitedNode, unspecifiedIpv6, type Ipv6Address } from "../../../stack/wire/ipv6-address.ts";
import { neighbourSolicitation, parseNeighbourMessage } from "../../../stack/wire/neighbour-discovery.ts";
import { FramePool, type Frame } from "./frame-pool.ts";
import { Router } from "./router.ts";

const ip = (text: string) => parseIpv6(text)!;
const mac = (text: string) => parseMac(text)!;
const hostMac = mac("02:00:00:00:00:99");
const host = ip("2001:db8:0:1::2");
const headers = 14 + 40;

/** Three interfaces: 2001:db8:0:1::1/64 … 2001:db8:0:3::1/64; 2001:db8:9::/48 over the second, 2001:db8:9:7::/64 over the third, 2001:db8:8::/48 over both. */
class RouterUnderTest {
  readonly pool = new FramePool(1514);
  readonly sent: { interface: number; frame: Frame }[] = [];
  readonly drops: string[] = [];
  readonly router: Router;

  constructor() {
    const second = { via: ip("2001:db8:0:2::2"), interface: 1 };
    const third = { via: ip("2001:db8:0:3::2"), interface: 2 };
    this.router = new Router({
      interfaces: [1, 2, 3].map((n) => ({
        name: `eth${n - 1}`,
        mac: mac(`02:00:00:00:0${n}:01`),
        addresses: [{ address: ip(`2001:db8:0:${n}::1`), prefixLength: 64 }],
        mtu: 1500,
      })),
      routes: [
        { prefix: ip("2001:db8:9::"), prefixLength: 48, hops: [second] },
        { prefix: ip("2001:db8:9:7::"), prefixLength: 64, hops: [third] },
        { prefix: ip("2001:db8:8::"), prefixLength: 48, hops: [second, third] },
      ],
      neighbours: new Map([1, 2, 3].map((n) => [ip(`2001:db8:0:${n}::2`), mac(`02:00:00:00:0${n}:02`)])),
      balancing: { flowHashSeed: 7 },
      pool: this.pool,
      onDrop: (reason) => this.drops.push(reason),
    });
    for (const index of [0, 1, 2])
      this.router.attach(index, { push: (frame) => this.sent.push({ interface: index, frame }) });
  }

  /** A TCP header's place with two ports. */
  packet(destination: string, { hopLimit = 64, port = 40_000, flowLabel = 0 } = {}): Frame {
    const frame = this.pool.take(headers + 20);
    const { view, start } = frame;
    writeEthernetHeader(view, start, mac("02:00:00:00:01:01"), hostMac, etherType.ipv6);
    writeIpv6Header(view, start + 14, 20, ipProtocol.tcp, host, ip(destination), 0, flowLabel, hopLimit);
    view.setUint16(start + headers, port);
    view.setUint16(start + headers + 2, 80);
    frame.identify();
    return frame;
  }

  solicit(target: Ipv6Address, destination: Ipv6Address, { source = host, hopLimit = 255 } = {}): void {
    const said: MacAddress | undefined = source === unspecifiedIpv6 ? undefined : hostMac;
    const message = neighbourSolicitation(target, source, destination, said);
    const frame = this.pool.take(headers + message.length);
    const { view, start, memory } = frame;
    writeEthernetHeader(view, start, mac("33:33:ff:00:00:01"), hostMac, etherType.ipv6);
    writeIpv6Header(view, start + 14, message.length, ipProtocol.icmpv6, source, destination, 0, 0, hopLimit);
    memory.set(message, start + headers);
    frame.identify();
    this.router.receive(0, frame);
  }
}

describe("Router of IPv6", () => {
  for (const [destination, expected, why] of [
    ["2001:db8:0:2::2", 1, "the interface's own prefix"],
    ["2001:db8:9:1::7", 1, "a route"],
    ["2001:db8:9:7::7", 2, "the longer of two prefixes"],
  ] as const) {
    it(`forwards by ${why}, with one hop less and new hardware addresses`, () => {
      const bench = new RouterUnderTest();
      bench.router.receive(0, bench.packet(destination));
      const { interface: out, frame } = bench.sent[0]!;
      expect(out).to.equal(expected);
      const whole = bench.pool.wholeOf(frame);
      const view = new DataView(whole.buffer);
      const header = new Ipv6Header();
      expect(header.parse(view, 14, frame.bytes - 14)).to.equal(true);
      expect(header).to.include({ hopLimit: 63, source: host, destination: ip(destination) });
      expect(readMac(view, 0)).to.deep.equal(mac(`02:00:00:00:0${expected + 1}:02`));
      expect(readMac(view, 6)).to.deep.equal(mac(`02:00:00:00:0${expected + 1}:01`));
      expect(view.getUint16(12)).to.equal(etherType.ipv6);
    });
  }

  it("drops what has no hop left, and what it has no route for", () => {
    const bench = new RouterUnderTest();
    bench.router.receive(0, bench.packet("2001:db8:0:2::2", { hopLimit: 1 }));
    bench.router.receive(0, bench.packet("2001:db8:7::1"));
    expect(bench.drops).to.deep.equal([
      "time to live exceeded on the way to 2001:db8:0:2::2",
      "no route to 2001:db8:7::1",
    ]);
    expect(bench.pool.lent).to.equal(0);
  });

  it("has all packets of a flow take one of several next hops whatever their label, and the flows share them", () => {
    const bench = new RouterUnderTest();
    const wayOf = (port: number, flowLabel: number): number => {
      bench.router.receive(0, bench.packet("2001:db8:8::1", { port, flowLabel }));
      return bench.sent.pop()!.interface;
    };
    const ports = Array.from({ length: 100 }, (_, port) => port);
    const ways = ports.map((port) => wayOf(port, 1));
    expect(ports.map((port) => wayOf(port, 2))).to.deep.equal(ways);
    expect(ways.filter((way) => way === 1).length).to.be.within(30, 70);
  });

  it("answers who solicits its own address of that interface, to its group or to itself", () => {
    const own = ip("2001:db8:0:1::1");
    for (const destination of [solicitedNode(own), own]) {
      const bench = new RouterUnderTest();
      bench.solicit(own, destination);
      expect(bench.sent).to.have.length(1);
      const { interface: out, frame } = bench.sent[0]!;
      expect(out).to.equal(0);
      const whole = bench.pool.wholeOf(frame);
      const view = new DataView(whole.buffer);
      const header = new Ipv6Header();
      expect(header.parse(view, 14, frame.bytes - 14)).to.equal(true);
      expect(header).to.include({ hopLimit: 255, source: own, destination: host, protocol: ipProtocol.icmpv6 });
      expect(readMac(view, 0)).to.deep.equal(hostMac);
      expect(icmpv6ChecksumIsRight(whole, headers, frame.bytes - headers, own, host)).to.equal(true);
      expect(parseNeighbourMessage(view, headers, frame.bytes - headers)).to.deep.equal({
        isSolicitation: false,
        target: own,
        solicited: true,
        mac: mac("02:00:00:00:01:01"),
      });
    }
  });

  it("answers nobody who solicits another's address, from beyond a router or without one of its own", () => {
    const own = ip("2001:db8:0:1::1");
    const bench = new RouterUnderTest();
    bench.solicit(ip("2001:db8:0:2::1"), solicitedNode(own));
    bench.solicit(own, solicitedNode(own), { hopLimit: 254 });
    bench.solicit(own, solicitedNode(own), { source: unspecifiedIpv6 });
    expect(bench.sent).to.have.length(0);
    expect(bench.drops).to.have.length(0);
    expect(bench.pool.lent).to.equal(0);
  });
});

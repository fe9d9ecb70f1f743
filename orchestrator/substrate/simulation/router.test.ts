import { expect } from "chai";
import { arpOperation, parseArp, writeArp } from "../../../stack/wire/arp.ts";
import { etherType, parseMac, readMac, writeEthernetHeader } from "../../../stack/wire/ethernet.ts";
import { parseIpv4 } from "../../../stack/wire/ip-address.ts";
import { Ipv4Header, writeIpv4Header } from "../../../stack/wire/ipv4.ts";
import { FramePool, type Frame } from "./frame-pool.ts";
import { Router } from "./router.ts";

const ip = (text: string) => parseIpv4(text)!;
const mac = (text: string) => parseMac(text)!;
const hostMac = mac("02:00:00:00:00:99");

/** Three interfaces: 10.0.1.1/24, 10.0.2.1/24 and 10.0.3.1/24 (MTU 1000); 10.9.0.0/16 over 10.0.2.2, but 10.9.7.0/24 over 10.0.3.2. */
class RouterUnderTest {
  readonly pool = new FramePool(1514);
  readonly sent: { interface: number; frame: Frame }[] = [];
  readonly drops: string[] = [];
  readonly router: Router;

  constructor(defaultVia?: string, balancing: "packets" | { flowHashSeed: number } = { flowHashSeed: 7 }) {
    this.router = new Router({
      interfaces: [1, 2, 3].map((n) => ({
        name: `eth${n - 1}`,
        mac: mac(`02:00:00:00:0${n}:01`),
        addresses: [{ address: ip(`10.0.${n}.1`), prefixLength: 24 }],
        mtu: n === 3 ? 1000 : 1500,
      })),
      routes: [
        { prefix: ip("10.9.0.0"), prefixLength: 16, hops: [{ via: ip("10.0.2.2"), interface: 1 }] },
        { prefix: ip("10.9.7.0"), prefixLength: 24, hops: [{ via: ip("10.0.3.2"), interface: 2 }] },
        {
          prefix: ip("10.8.0.0"),
          prefixLength: 16,
          hops: [
            { via: ip("10.0.2.2"), interface: 1 },
            { via: ip("10.0.3.2"), interface: 2 },
          ],
        },
        ...(defaultVia === undefined
          ? []
          : [{ prefix: ip("0.0.0.0"), prefixLength: 0, hops: [{ via: ip(defaultVia), interface: 0 }] }]),
      ],
      neighbours: new Map([1, 2, 3].map((n) => [ip(`10.0.${n}.2`), mac(`02:00:00:00:0${n}:02`)])),
      balancing,
      pool: this.pool,
      onDrop: (reason) => this.drops.push(reason),
    });
    for (const index of [0, 1, 2])
      this.router.attach(index, { push: (frame) => this.sent.push({ interface: index, frame }) });
  }

  packet(destination: string, options: { bytes?: number; timeToLive?: number } = {}): Frame {
    const frame = this.pool.take(60);
    frame.bytes = options.bytes ?? 60;
    writeEthernetHeader(frame.view, frame.start, mac("02:00:00:00:01:01"), hostMac, etherType.ipv4);
    writeIpv4Header(frame.view, frame.start + 14, frame.bytes - 14, 7, 6, ip("10.0.1.2"), ip(destination));
    const timeToLive = options.timeToLive ?? 64;
    // Back from what the header's writer has set, as so many routers would have left it.
    const { view, start } = frame;
    view.setUint8(start + 22, timeToLive);
    const sum = view.getUint16(start + 24) + (64 - timeToLive) * 0x0100;
    view.setUint16(start + 24, (sum & 0xffff) + (sum >> 16));
    frame.identify();
    return frame;
  }
}

describe("Router", () => {
  for (const [destination, expected, why] of [
    ["10.0.2.2", 1, "the interface's own prefix"],
    ["10.9.1.1", 1, "a route"],
    ["10.9.7.1", 2, "the longest of two prefixes that match"],
  ] as const) {
    it(`forwards by ${why}`, () => {
      const bench = new RouterUnderTest();
      bench.router.receive(0, bench.packet(destination));
      expect(bench.sent.map((one) => one.interface)).to.deep.equal([expected]);
      const { frame } = bench.sent[0]!;
      frame.settle();
      expect(readMac(frame.view, frame.start)).to.deep.equal(mac(`02:00:00:00:0${expected + 1}:02`));
      expect(readMac(frame.view, frame.start + 6)).to.deep.equal(mac(`02:00:00:00:0${expected + 1}:01`));
    });
  }

  it("takes one from the time to live and keeps the header's checksum right, for any header", () => {
    const bench = new RouterUnderTest();
    for (let timeToLive = 2; timeToLive <= 255; timeToLive++) {
      bench.router.receive(0, bench.packet("10.0.2.2", { timeToLive }));
      const { frame } = bench.sent.pop()!;
      frame.settle();
      expect(frame.view.getUint8(frame.start + 22)).to.equal(timeToLive - 1);
      expect(
        new Ipv4Header().parse(frame.memory, frame.view, frame.start + 14, frame.bytes - 14),
        `time to live ${timeToLive}`,
      ).to.equal(true);
      bench.pool.give(frame);
    }
  });

  it("uses the default route for everything else, and without one tells the first packet that it drops", () => {
    const withDefault = new RouterUnderTest("10.0.1.2");
    withDefault.router.receive(1, withDefault.packet("192.0.2.1"));
    expect(withDefault.sent.map((one) => one.interface)).to.deep.equal([0]);
    const without = new RouterUnderTest();
    without.router.receive(1, without.packet("192.0.2.1"));
    without.router.receive(1, without.packet("192.0.2.1"));
    expect(without.sent).to.deep.equal([]);
    expect(without.drops).to.deep.equal(["no route to 192.0.2.1"]);
    expect(without.pool.lent).to.equal(0);
  });

  it("drops what has no time to live left, and what is longer than the next link takes", () => {
    const bench = new RouterUnderTest();
    bench.router.receive(0, bench.packet("10.0.2.2", { timeToLive: 1 }));
    bench.router.receive(0, bench.packet("10.9.7.1", { bytes: 1015 }));
    bench.router.receive(0, bench.packet("10.9.7.1", { bytes: 1014 }));
    expect(bench.drops).to.deep.equal([
      "time to live exceeded on the way to 10.0.2.2",
      "longer than the MTU of eth2 on the way to 10.9.7.1",
    ]);
    expect(bench.sent).to.have.length(1);
  });

  it("answers ARP for its own address of that interface and for no other", () => {
    const bench = new RouterUnderTest();
    const ask = (target: string): void => {
      const frame = bench.pool.take(42);
      writeEthernetHeader(frame.view, frame.start, mac("ff:ff:ff:ff:ff:ff"), hostMac, etherType.arp);
      writeArp(frame.view, frame.start + 14, {
        operation: arpOperation.request,
        senderMac: hostMac,
        senderAddress: ip("10.0.1.2"),
        targetMac: mac("00:00:00:00:00:00"),
        targetAddress: ip(target),
      });
      frame.identify();
      bench.router.receive(0, frame);
    };
    ask("10.0.2.1");
    expect(bench.sent).to.have.length(0);
    ask("10.0.1.1");
    const { frame } = bench.sent[0]!;
    expect(parseArp(frame.view, frame.start + 14, 28)).to.deep.equal({
      operation: arpOperation.reply,
      senderMac: mac("02:00:00:00:01:01"),
      senderAddress: ip("10.0.1.1"),
      targetMac: hostMac,
      targetAddress: ip("10.0.1.2"),
    });
  });

  it("has all packets of a flow take one of several next hops, and the flows share them", () => {
    const bench = new RouterUnderTest();
    const wayOf = (port: number): number => {
      const frame = bench.packet("10.8.1.1");
      frame.view.setUint16(frame.start + 34, port);
      frame.view.setUint16(frame.start + 36, 80);
      frame.identify();
      bench.router.receive(0, frame);
      return bench.sent.pop()!.interface;
    };
    const ways = Array.from({ length: 100 }, (_, port) => wayOf(port));
    expect(Array.from({ length: 100 }, (_, port) => wayOf(port))).to.deep.equal(ways);
    expect(ways.filter((way) => way === 1).length).to.be.within(30, 70);
    expect(ways.filter((way) => way === 2).length).to.be.within(30, 70);
  });

  it("deals packets in turn to several next hops where it balances packets", () => {
    const bench = new RouterUnderTest(undefined, "packets");
    for (let packet = 0; packet < 4; packet++) bench.router.receive(0, bench.packet("10.8.1.1"));
    expect(bench.sent.map((one) => one.interface)).to.deep.equal([1, 2, 1, 2]);
  });

  it("carries nothing in or out over an interface that is down", () => {
    const bench = new RouterUnderTest();
    bench.router.setInterfaceUp(1, false);
    bench.router.receive(0, bench.packet("10.0.2.2"));
    bench.router.receive(1, bench.packet("10.9.7.1"));
    expect(bench.sent).to.have.length(0);
    expect(bench.pool.lent).to.equal(0);
    bench.router.setInterfaceUp(1, true);
    bench.router.receive(0, bench.packet("10.0.2.2"));
    expect(bench.sent).to.have.length(1);
  });
});

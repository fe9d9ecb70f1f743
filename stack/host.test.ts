import { expect } from "chai";
import { checksumState, type OutgoingFrame } from "./frame.ts";
import { type AddressOptions, ConfigurationError, type HostOptions, type InterfaceOptions } from "./host-options.ts";
import { Host, NetworkError } from "./host.ts";
import { makePair, wifi } from "./testing/pair.ts";
import { seededRandom } from "./testing/random.ts";
import { checksumAdd, checksumFinish, checksumFold } from "./wire/checksum.ts";

const options = (): HostOptions => ({
  name: "host",
  random: seededRandom(1),
  mptcp: true,
  congestionControl: "lia",
  scheduler: "min-rtt",
  pathManager: "full-mesh",
  interfaces: [
    {
      name: "eth0",
      mac: "02:00:00:00:00:01",
      mtu: 1500,
      gso: false,
      addresses: [{ address: "10.0.0.1", prefixLength: 24 }],
      gateway: "10.0.0.254",
    },
  ],
});

function transmitted(host: Host, now: number): Uint8Array[] {
  const frames: Uint8Array[] = [];
  host.pollTransmit(now, {
    transmit: (frame: OutgoingFrame) => frames.push(frame.header.slice(0, frame.headerLength)),
  });
  return frames;
}

const hex = (text: string): Uint8Array => Uint8Array.from(Buffer.from(text.replaceAll(" ", ""), "hex"));

describe("a host's configuration", () => {
  const first = options().interfaces[0]!;
  const own = (address: string, prefixLength: number): AddressOptions => ({ address, prefixLength });
  const six: InterfaceOptions = {
    name: "eth0",
    mac: "02:00:00:00:00:01",
    mtu: 1500,
    gso: false,
    addresses: [own("fd00::1", 64)],
  };
  for (const [path, change] of [
    ["interfaces", { interfaces: [] }],
    ["interfaces[0].mac", { interfaces: [{ ...first, mac: "2:0:0:0:0:1" }] }],
    ["interfaces[0].mtu", { interfaces: [{ ...first, mtu: 500 }] }],
    ["interfaces[0].addresses", { interfaces: [{ ...first, addresses: [] }] }],
    [
      "interfaces[0].addresses[0].address",
      { interfaces: [{ ...first, addresses: [{ address: "10.0.0.256", prefixLength: 24 }] }] },
    ],
    [
      "interfaces[0].addresses[0].prefixLength",
      { interfaces: [{ ...first, addresses: [{ address: "10.0.0.1", prefixLength: 33 }] }] },
    ],
    ["interfaces[0].gateway", { interfaces: [{ ...first, gateway: "10.0.1.254" }] }],
    ["interfaces[0].gateway", { interfaces: [{ ...first, gateway: "fe80::1" }] }],
    ["interfaces[0].ipv6Gateway", { interfaces: [{ ...first, ipv6Gateway: "fe80::1" }] }],
    ["interfaces[0].ipv6Gateway", { interfaces: [{ ...six, ipv6Gateway: "fd00:0:0:1::1" }] }],
    ["interfaces[0].ipv6Gateway", { interfaces: [{ ...six, ipv6Gateway: "10.0.0.254" }] }],
    ["interfaces[0].mtu", { interfaces: [{ ...six, mtu: 1279 }] }],
    ["interfaces[0].addresses[0].prefixLength", { interfaces: [{ ...six, addresses: [own("fd00::1", 129)] }] }],
    ["interfaces[0].addresses[0].address", { interfaces: [{ ...six, addresses: [own("ff02::1", 64)] }] }],
    ["interfaces[0].addresses[0].address", { interfaces: [{ ...six, addresses: [own("::", 64)] }] }],
    ["interfaces[0].addresses[0].address", { interfaces: [{ ...six, addresses: [own("fe80::1%eth0", 64)] }] }],
    [
      "interfaces[0].addresses[1].address",
      { interfaces: [{ ...six, addresses: [own("fd00::1", 64), own("FD00:0::0:1", 64)] }] },
    ],
    ["interfaces[1].name", { interfaces: [first, first] }],
    ["interfaces[1].addresses[0].address", { interfaces: [first, { ...first, name: "eth1" }] }],
    ["congestionControl", { congestionControl: "tahoe" as never }],
    ["scheduler", { scheduler: "random" as never }],
    ["pathManager", { pathManager: "constructor" as never }],
    ["receiveBufferBytes", { receiveBufferBytes: 0 }],
    ["tcp.userTimeoutMicroseconds", { tcp: { userTimeoutMicroseconds: 0 } }],
    ["tcp.keepAlive.probes", { tcp: { keepAlive: { idleMicroseconds: 1, intervalMicroseconds: 1, probes: 0 } } }],
  ] as [string, Partial<HostOptions>][]) {
    it(`that cannot be is refused with its place: ${path}`, () => {
      expect(() => new Host({ ...options(), ...change }))
        .to.throw(ConfigurationError)
        .with.property("path", path);
    });
  }

  it("refuses to listen twice on a port, or on an address that it does not have, or to go where no route leads", () => {
    const host = new Host({
      ...options(),
      interfaces: [
        {
          name: "eth0",
          mac: "02:00:00:00:00:01",
          mtu: 1500,
          gso: false,
          addresses: [{ address: "10.0.0.1", prefixLength: 24 }],
        },
      ],
    });
    host.listen({ port: 80 }, 0);
    expect(() => host.listen({ port: 80 }, 0))
      .to.throw()
      .with.property("code", "EADDRINUSE");
    expect(() => host.listen({ port: 81, address: "10.0.0.2" }, 0))
      .to.throw()
      .with.property("code", "EADDRNOTAVAIL");
    expect(() => host.connect({ remoteAddress: "192.0.2.1", remotePort: 80 }, 0))
      .to.throw()
      .with.property("code", "ENETUNREACH");
  });

  it("listens on a port that is free when asked for none, and connects from the one that is asked for", () => {
    const pair = makePair({ paths: [wifi] });
    const { now } = pair.network;
    const ports = [0, 0, 0].map((port) => pair.server.listen({ port }, now).port);
    expect(new Set(ports).size).to.equal(3);
    const remote = { remoteAddress: "10.0.100.2", remotePort: ports[0]!, localPort: 1234 };
    expect(pair.client.connect(remote, now).localPort).to.equal(1234);
    expect(() => pair.client.connect(remote, now))
      .to.throw(NetworkError)
      .with.property("code", "EADDRINUSE");
    expect(pair.client.connections).to.have.length(1);
  });
});

describe("a host answers", () => {
  const arpRequest = hex(
    "ffffffffffff 020000000002 0806 0001 0800 06 04 0001 020000000002 0a000002 000000000000 0a000001",
  );

  it("ARP for its own address only", () => {
    const host = new Host(options());
    host.handleFrame(0, arpRequest, 0, arpRequest.length, checksumState.unverified, 0);
    const [reply] = transmitted(host, 0);
    expect(Buffer.from(reply!).toString("hex")).to.equal(
      "020000000002020000000001080600010800060400020200000000010a0000010200000000020a000002",
    );
    const other = arpRequest.slice();
    other[41] = 9;
    host.handleFrame(0, other, 0, other.length, checksumState.unverified, 0);
    expect(transmitted(host, 0)).to.deep.equal([]);
  });

  it("ping, with its payload", () => {
    const host = new Host(options());
    host.handleFrame(0, arpRequest, 0, arpRequest.length, checksumState.unverified, 0);
    transmitted(host, 0);
    const ping = hex(
      "020000000001 020000000002 0800 4500 0020 0000 4000 40 01 0000 0a000002 0a000001 0800 0000 0001 0007 6162636d",
    );
    const view = new DataView(ping.buffer);
    view.setUint16(24, checksumFinish(checksumAdd(0, ping, 14, 20)));
    view.setUint16(36, checksumFinish(checksumAdd(0, ping, 34, 12)));
    host.handleFrame(0, ping, 0, ping.length, checksumState.unverified, 0);
    const [reply] = transmitted(host, 0);
    expect(reply![34]).to.equal(0);
    expect(Buffer.from(reply!.subarray(38)).toString("hex")).to.equal("000100076162636d");
    expect(checksumFold(checksumAdd(0, reply!, 34, 12))).to.equal(0xffff);
    ping[40]! ^= 1;
    host.handleFrame(0, ping, 0, ping.length, checksumState.unverified, 0);
    expect(transmitted(host, 0)).to.deep.equal([]);
  });

  it("asks for its gateway before it connects elsewhere, and gives up asking", () => {
    const host = new Host(options());
    host.connect({ remoteAddress: "192.0.2.1", remotePort: 80 }, 0);
    const asked = transmitted(host, 0);
    expect(asked.map((frame) => Buffer.from(frame.subarray(38, 42)).toString("hex"))).to.deep.equal(["0a0000fe"]);
    let requests = 0;
    for (let now = host.pollTimeout(); now < 200_000_000; now = host.pollTimeout()) {
      host.handleTimeout(now);
      requests += transmitted(host, now).length;
    }
    expect(requests).to.be.within(5, 60);
    expect(host.pollTimeout()).to.equal(Number.POSITIVE_INFINITY);
    expect(host.connections).to.deep.equal([]);
  });
});

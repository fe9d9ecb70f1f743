import { expect } from "chai";
import { UsageError } from "../command/failure.ts";
import { parseGatewayOptions } from "./gateway-options.ts";

const path = ["--interface", "wlan0=10.77.1.11/24"];
const near = [...path, "--peer", "10.77.1.12:4460", "--tun", "pathlab0"];
const far = [...path, "--converter", "4460"];

describe("the gateway's command line", () => {
  it("names interfaces with their addresses and routers", () => {
    const text = "wwan0=10.77.2.11/24,fd00:2::11/64,via=10.77.2.254,via=fe80::1,backup";
    expect(parseGatewayOptions([...near, "--interface", text]).interfaces).to.deep.equal([
      { name: "wlan0", addresses: [{ address: "10.77.1.11", prefixLength: 24 }], backup: false, optional: false },
      {
        name: "wwan0",
        addresses: [
          { address: "10.77.2.11", prefixLength: 24 },
          { address: "fd00:2::11", prefixLength: 64 },
        ],
        backup: true,
        optional: false,
        gateway: "10.77.2.254",
        ipv6Gateway: "fe80::1",
      },
    ]);
  });

  it("takes a whole host of the stack in the place of interfaces", () => {
    const host = { name: "phone", mptcp: false, interfaces: [] };
    const options = parseGatewayOptions(["--host", JSON.stringify(host), "--converter", "4460"]);
    expect(options.host).to.deep.equal(host);
  });

  it("takes a peer of either family, and a way in", () => {
    const options = parseGatewayOptions([...path, "--peer", "[fd00:1::12]:4460", "--socks", "127.0.0.1:1080"]);
    expect(options.peers).to.deep.equal([{ host: "fd00:1::12", port: 4460 }]);
    expect(options.socks).to.deep.equal({ host: "127.0.0.1", port: 1080 });
  });

  it("takes several addresses of the converter, the best first", () => {
    const { peers } = parseGatewayOptions([...near, "--peer", "10.77.2.12:4460"]);
    expect(peers.map(({ host }) => host)).to.deep.equal(["10.77.1.12", "10.77.2.12"]);
  });

  it("allows what is in any of the prefixes", () => {
    const { allowed } = parseGatewayOptions([...far, "--allow", "192.0.2.0/24", "--allow", "2001:db8::/32"]);
    expect([allowed!.check("192.0.2.80"), allowed!.check("198.51.100.1")]).to.deep.equal([true, false]);
    expect(allowed!.check("2001:db8::80", "ipv6")).to.equal(true);
  });

  it("does without converters in both directions at a time", () => {
    const both = [...path, "--direct", "--tun", "pathlab0", "--forward", "80", "--forward", "443", "--to", "::1"];
    expect(parseGatewayOptions(both)).to.deep.include({
      direct: true,
      forwardPorts: [80, 443],
      toAddress: "::1",
      peers: [],
    });
  });

  for (const [problem, argv] of [
    ["--interface: at least one is needed", ["--converter", "4460"]],
    ["one of --peer, --direct, --converter and --forward is needed", path],
    ["one of --peer, --direct, --converter and --forward is needed", [...near, "--converter", "4460"]],
    ["--peer: applications need a way in", [...path, "--peer", "10.77.1.12:4460"]],
    ['--peer: "example.org:80" is not ADDRESS:PORT', [...path, "--peer", "example.org:80", "--tun", "t"]],
    ['--converter: "70000" is not a port', [...path, "--converter", "70000"]],
    ['--interface: "wlan0" is not NAME=ADDRESS/LENGTH', ["--interface", "wlan0", "--converter", "1"]],
    ['--interface: "10.0.0.1/33" is not ADDRESS/LENGTH', ["--interface", "wlan0=10.0.0.1/33", "--converter", "1"]],
    ['--to: "localhost" is not an IP address', [...far, "--to", "localhost"]],
    ["--interface: --host says it already", [...far, "--host", '{"interfaces":[]}']],
    ["--host: an object with interfaces is needed", ["--host", "[]", "--converter", "4460"]],
    ["--algorithms-on-stdin: it goes with --host", [...far, "--algorithms-on-stdin"]],
    ["--host: Unexpected token", ["--host", "wlan0", "--converter", "4460"]],
    ["--allow is an option of another side", [...near, "--allow", "10.0.0.0/8"]],
    ["--socks is an option of another side", [...far, "--socks", "127.0.0.1:1080"]],
    ["--tun shows servers the applications' addresses", [...far, "--tun", "pathlab0", "--to", "127.0.0.1"]],
    ["--socks-user: NAME:PASSWORD is needed", [...near, "--socks", "127.0.0.1:1080", "--socks-user", "anna"]],
    ["--socks-user: name and password have", [...near, "--socks", "127.0.0.1:1080", "--socks-user", "anna:"]],
    ["--socks-user: it goes with --socks", [...near, "--socks-user", "anna:secret"]],
    ["--interface: wlan0 is given twice", [...near, ...path]],
    ['--status: "here" is neither a path', [...near, "--status", "here"]],
    ["one of --peer, --direct", [...near, "--direct"]],
    ["one of --peer, --direct", [...far, "--forward", "80"]],
    ["--direct: applications need a way in", [...path, "--direct", "--forward", "80"]],
    ["--tun is an option of another side", [...path, "--forward", "80", "--tun", "pathlab0"]],
    ["--to is an option of another side", [...path, "--direct", "--tun", "pathlab0", "--to", "127.0.0.1"]],
    ['--observe: "now" is not a number of milliseconds', [...near, "--observe", "now"]],
    ['--observe: "0.0001" is not a number of milliseconds from 1 on', [...near, "--observe", "0.0001"]],
    ["--cookies is an option of another side", [...path, "--forward", "80", "--cookies"]],
    ["--fast-open is an option of another side", [...far, "--fast-open"]],
    ["--cookies is an option of another side", [...near, "--cookies"]],
    ["Unknown option '--perr'", [...path, "--perr", "x"]],
  ] as const) {
    it(`is refused: ${argv.join(" ")}`, () => {
      expect(() => parseGatewayOptions(argv))
        .to.throw(UsageError)
        .with.property("message")
        .that.contains(problem);
    });
  }
});

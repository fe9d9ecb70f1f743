import { InvalidArgumentError } from "commander";
import { expect } from "chai";
import { collectInterface, parseInterface, parsePort, parseSeconds, parseSize, wholeNumber } from "./values.ts";

describe("values of the endpoint's command line", () => {
  it("interfaces have addresses of both families, routers, and a role", () => {
    expect(parseInterface("wlan0=192.0.2.10/24,fd00::10/64,via=192.0.2.1,via=fe80::1,backup")).to.deep.equal({
      name: "wlan0",
      addresses: [
        { address: "192.0.2.10", prefixLength: 24 },
        { address: "fd00::10", prefixLength: 64 },
      ],
      gateway: "192.0.2.1",
      ipv6Gateway: "fe80::1",
      backup: true,
      optional: false,
    });
  });

  it("sizes, times and counts are in the units that they say", () => {
    expect([parseSize("4096"), parseSize("500kB"), parseSize("4MiB"), parseSize("1gib")]).to.deep.equal([
      4096,
      500_000,
      4 * 2 ** 20,
      2 ** 30,
    ]);
    expect([parseSeconds("30"), parseSeconds("0.5")]).to.deep.equal([30_000_000, 500_000]);
    expect([parsePort("65535"), wholeNumber("subflows", 2, 8)("2")]).to.deep.equal([65_535, 2]);
  });

  const wrong: [name: string, call: () => unknown, told: string][] = [
    ["no address", () => parseInterface("wlan0"), '"wlan0" is not NAME=ADDRESS/LENGTH'],
    ["only a role", () => parseInterface("wlan0=backup"), "gives wlan0 no address"],
    ["no length", () => parseInterface("wlan0=192.0.2.10"), '"192.0.2.10" is not ADDRESS/LENGTH, as in 192.0.2.10/24'],
    ["a length that is none", () => parseInterface("wlan0=192.0.2.10/33"), '"192.0.2.10/33" is not'],
    [
      "a router by name",
      () => parseInterface("wlan0=192.0.2.10/24,via=home"),
      '"via=home": a router has an IP address',
    ],
    [
      "an interface twice",
      () => collectInterface("w=192.0.2.1/24", [parseInterface("w=192.0.2.2/24")]),
      "w is given twice",
    ],
    ["port 0", () => parsePort("0"), '"0" is not a port: a whole number from 1 to 65535'],
    ["a port by name", () => parsePort("http"), '"http" is not a port'],
    ["a size of nothing", () => parseSize("0"), '"0" is not a size'],
    ["a size in an unknown unit", () => parseSize("4mbit"), "kB, MB, GB, KiB, MiB or GiB"],
    ["no time", () => parseSeconds("0"), '"0" is not a time in seconds'],
    ["a negative time", () => parseSeconds("-1"), '"-1" is not a time in seconds'],
    ["too many", () => wholeNumber("subflows", 2, 8)("9"), '"9" is not a number of subflows from 2 to 8'],
  ];
  for (const [name, call, told] of wrong)
    it(`refuses ${name}`, () => expect(call).to.throw(InvalidArgumentError, told));
});

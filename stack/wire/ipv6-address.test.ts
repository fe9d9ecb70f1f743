import { expect } from "chai";
import fc from "fast-check";
import { canTalk, formatIpAddress, inPrefix, keepAddress, parseIpAddress, parseIpv4, unmapped } from "./ip-address.ts";
import { Ipv6Address, ipv6FromWords, isLinkLocal, linkLocalFor, parseIpv6, solicitedNode } from "./ipv6-address.ts";

const word = fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 });
/** With zeros often enough that `::` stands everywhere. */
const words = fc.array(fc.oneof(word, fc.constant(0), fc.constant(1), fc.constant(0xffff)), {
  minLength: 4,
  maxLength: 4,
});
const address = words.map(([a, b, c, d]) => ipv6FromWords(a!, b!, c!, d!));

const formatted = (text: string): string => formatIpAddress(parseIpAddress(text)!);

describe("an IPv6 address as text", () => {
  it("is written as RFC 5952 wants it, however it came", () => {
    for (const [given, canonical] of [
      ["2001:DB8:0:0:0:0:2:1", "2001:db8::2:1"],
      ["2001:db8:0:1:1:1:1:1", "2001:db8:0:1:1:1:1:1"],
      ["2001:db8::1:1:1:1:1", "2001:db8:0:1:1:1:1:1"],
      ["2001:0:0:1:0:0:0:1", "2001:0:0:1::1"],
      ["2001:db8:0:0:1:0:0:1", "2001:db8::1:0:0:1"],
      ["0:0:0:0:0:0:0:0", "::"],
      ["::1", "::1"],
      ["1::", "1::"],
      ["0001:0002::", "1:2::"],
      ["::ffff:10.1.2.3", "::ffff:10.1.2.3"],
      ["::FFFF:0a01:0203", "::ffff:10.1.2.3"],
      ["64:ff9b::192.0.2.33", "64:ff9b::c000:221"],
    ])
      expect(formatted(given!), given).to.equal(canonical);
  });

  it("reads as it was written", () => {
    fc.assert(fc.property(address, (each) => parseIpAddress(formatIpAddress(each)) === keepAddress(each)));
  });

  it("is refused when it is none", () => {
    const wrong = ["", ":", ":::", "1:2:3:4:5:6:7", "1:2:3:4:5:6:7:8:9", "1::2::3", "::12345", "::g", ":1::", "1:::2"];
    wrong.push("1:2:3:4:5:6:7:8::", "::1.2.3", "::1.2.3.256", "1.2.3.4::", "::1.2.3.4:5", "fe80::1%eth0", " ::1", "1:");
    for (const text of wrong) expect(parseIpAddress(text), text).to.equal(undefined);
  });
});

describe("an IPv6 address as a value", () => {
  it("is one object, as long as something refers to it, whoever else sends in between", () => {
    const kept = parseIpv6("2001:db8::5")!;
    for (let i = 0; i < 100_000; i++) ipv6FromWords(0x2001_0db8, 0, i, i * 7919);
    expect(ipv6FromWords(0x2001_0db8, 0, 0, 5)).to.equal(kept);
    expect(parseIpAddress("2001:DB8:0::5")).to.equal(kept);
  });

  it("is the known object when an older one of the same value is kept", () => {
    const kept = parseIpv6("2001:db8::6")!;
    expect(keepAddress(new Ipv6Address(kept.word0, kept.word1, kept.word2, kept.word3))).to.equal(kept);
  });

  it("is IPv4 when it is mapped", () => {
    expect(unmapped(parseIpAddress("::ffff:192.0.2.1")!)).to.equal(parseIpv4("192.0.2.1"));
    const other = parseIpAddress("::fffe:192.0.2.1")!;
    expect(unmapped(other)).to.equal(other);
  });
});

describe("prefixes and scopes", () => {
  it("agree in their first bits", () => {
    const bits = ({ word0, word1, word2, word3 }: Ipv6Address): string =>
      [word0, word1, word2, word3].map((each) => (each >>> 0).toString(2).padStart(32, "0")).join("");
    fc.assert(
      fc.property(address, address, fc.integer({ min: 0, max: 128 }), (a, b, length) => {
        expect(inPrefix(a, b, length)).to.equal(bits(a).slice(0, length) === bits(b).slice(0, length));
      }),
    );
  });

  it("never hold an address of the other family", () => {
    expect(inPrefix(parseIpAddress("10.0.0.1")!, parseIpAddress("::")!, 0)).to.equal(false);
    expect(inPrefix(parseIpAddress("::1")!, parseIpAddress("0.0.0.0")!, 0)).to.equal(false);
  });

  it("decide who can talk to whom", () => {
    const [four, six, link] = ["10.0.0.1", "2001:db8::1", "fe80::1"].map((text) => parseIpAddress(text)!);
    const talks = [four!, six!, link!].map((a) => [four!, six!, link!].map((b) => canTalk(a, b)));
    expect(talks).to.deep.equal([
      [true, false, false],
      [false, true, false],
      [false, false, true],
    ]);
  });

  it("follow from hardware addresses (RFC 4291 §2.5.1) and to solicited nodes (§2.7.1)", () => {
    const own = linkLocalFor({ high: 0x0200, low: 0x0000_0101 });
    expect([formatIpAddress(own), isLinkLocal(own)]).to.deep.equal(["fe80::ff:fe00:101", true]);
    expect(formatIpAddress(linkLocalFor({ high: 0x5254, low: 0x00a1_b2c3 }))).to.equal("fe80::5054:ff:fea1:b2c3");
    expect(formatIpAddress(solicitedNode(parseIpv6("4037::01:800:200e:8c6c")!))).to.equal("ff02::1:ff0e:8c6c");
  });
});

import { expect } from "chai";
import * as fc from "fast-check";
import {
  addressOfWords,
  familyOf,
  formatIpAddress,
  formatSubnet,
  isHostAddress,
  parseAddress,
  parseSubnet,
  subnetContains,
  subnetOf,
  subnetsOverlap,
} from "./ip-address.ts";

const word = fc.integer({ min: 0, max: 0xffffffff });

const families = {
  ipv4: { addresses: fc.tuple(word).map(addressOfWords), lengths: fc.integer({ min: 8, max: 31 }) },
  // Few values a word, so that subnets overlap now and then.
  ipv6: {
    addresses: fc
      .tuple(fc.constantFrom(0x20010db8, 0xfd000000), fc.integer({ min: 0, max: 3 }), word, word)
      .map(addressOfWords),
    lengths: fc.integer({ min: 16, max: 127 }),
  },
};

const is = (text: string, length: number): boolean => isHostAddress(parseAddress(text)!, length);

for (const [family, { addresses, lengths }] of Object.entries(families)) {
  describe(`addresses of ${family}`, () => {
    it("are read back as they are written", () => {
      fc.assert(
        fc.property(addresses, (address) => {
          expect(parseAddress(formatIpAddress(address))).to.equal(address);
          expect(familyOf(address)).to.equal(family);
        }),
      );
    });

    it("lie in the subnet that they have", () => {
      fc.assert(
        fc.property(addresses, lengths, (address, length) => {
          const subnet = subnetOf(address, length);
          expect(subnetContains(subnet, address)).to.equal(true);
          expect(parseSubnet(formatSubnet(subnet), "ipv4")).to.deep.equal(subnet);
        }),
      );
    });

    it("of one subnet lie in both of two that overlap, in one at most of two that do not", () => {
      fc.assert(
        fc.property(addresses, lengths, addresses, lengths, (a, aLength, b, bLength) => {
          const [first, second] = [subnetOf(a, aLength), subnetOf(b, bLength)];
          expect(subnetsOverlap(first, second)).to.equal(
            subnetContains(first, second.network) || subnetContains(second, first.network),
          );
        }),
      );
    });
  });
}

describe("IP addresses", () => {
  it("of IPv4 are four decimal octets without leading zeros", () => {
    for (const text of ["10.0.0", "10.0.0.0.1", "10.0.0.256", "10.0.0.01", "10.0.0.-1", "", "a.b.c.d"])
      expect(parseAddress(text), text).to.equal(undefined);
  });

  it("of IPv6 are eight groups, of which zeros may be left out once, without a zone", () => {
    for (const text of ["2001:db8", "::1::2", "2001:db8::g", "fe80::1%eth0", "1:2:3:4:5:6:7:8:9"])
      expect(parseAddress(text), text).to.equal(undefined);
  });

  it("have the subnet that their prefix length says", () => {
    const subnet = (text: string, length: number): string => formatSubnet(subnetOf(parseAddress(text)!, length));
    expect(subnet("10.0.1.77", 24)).to.equal("10.0.1.0/24");
    expect(subnet("2001:db8:0:7::2", 64)).to.equal("2001:db8:0:7::/64");
    expect(subnet("2001:db8:ffff:ffff::2", 33)).to.equal("2001:db8:8000::/33");
    expect(subnet("2001:db8::3", 127)).to.equal("2001:db8::2/127");
  });

  it("of two families share no subnet", () => {
    expect(subnetContains(parseSubnet("default", "ipv6"), parseAddress("10.0.0.1")!)).to.equal(false);
    expect(subnetsOverlap(parseSubnet("default", "ipv4"), parseSubnet("default", "ipv6"))).to.equal(false);
  });

  it("of hosts are neither the subnet's own nor its broadcast, nor of one node or many", () => {
    for (const [text, length] of [
      ["10.0.0.0", 24],
      ["10.0.0.255", 24],
      ["127.0.0.1", 8],
      ["224.0.0.1", 24],
      ["0.0.0.1", 24],
      ["2001:db8::", 64],
      ["::1", 64],
      ["ff02::1", 64],
      ["fe80::1", 64],
      ["::ffff:10.0.0.1", 96],
    ] as const)
      expect(is(text, length), text).to.equal(false);
    for (const [text, length] of [
      ["10.0.0.1", 24],
      ["10.0.0.0", 31],
      ["10.0.1.0", 23],
      ["2001:db8::1", 64],
      ["2001:db8::ffff", 112],
      ["2001:db8::", 127],
    ] as const)
      expect(is(text, length), text).to.equal(true);
  });
});

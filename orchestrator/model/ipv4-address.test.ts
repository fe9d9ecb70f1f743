import { expect } from "chai";
import * as fc from "fast-check";
import {
  formatIpv4,
  formatSubnet,
  isHostAddress,
  parseIpv4,
  subnetContains,
  subnetOf,
  subnetsOverlap,
} from "./ipv4-address.ts";

const addresses = fc.integer({ min: 0, max: 0xffffffff });
const lengths = fc.integer({ min: 8, max: 31 });

const is = (text: string, length: number): boolean => isHostAddress(parseIpv4(text)!, length);

describe("IPv4 addresses", () => {
  it("are read back as they are written", () => {
    fc.assert(fc.property(addresses, (address) => void expect(parseIpv4(formatIpv4(address))).to.equal(address)));
  });

  it("are four decimal octets without leading zeros", () => {
    for (const text of ["10.0.0", "10.0.0.0.1", "10.0.0.256", "10.0.0.01", "10.0.0.-1", "", "a.b.c.d"])
      expect(parseIpv4(text), text).to.equal(undefined);
  });

  it("lie in the subnet that they have", () => {
    expect(formatSubnet(subnetOf(parseIpv4("10.0.1.77")!, 24))).to.equal("10.0.1.0/24");
    fc.assert(
      fc.property(
        addresses,
        lengths,
        (address, length) => void expect(subnetContains(subnetOf(address, length), address)).to.equal(true),
      ),
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

  it("of hosts are neither the subnet's own nor its broadcast", () => {
    expect([
      is("10.0.0.0", 24),
      is("10.0.0.255", 24),
      is("127.0.0.1", 8),
      is("224.0.0.1", 24),
      is("0.0.0.1", 24),
    ]).to.deep.equal([false, false, false, false, false]);
    expect([is("10.0.0.1", 24), is("10.0.0.0", 31), is("10.0.1.0", 23)]).to.deep.equal([true, true, true]);
  });
});

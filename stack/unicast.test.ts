import { expect } from "chai";
import { isUnicast } from "./unicast.ts";
import { parseIpAddress } from "./wire/ip-address.ts";

const networks = [
  { address: parseIpAddress("192.0.2.10")!, prefixLength: 24 },
  { address: parseIpAddress("198.51.100.0")!, prefixLength: 31 },
  { address: parseIpAddress("2001:db8::1")!, prefixLength: 64 },
];

describe("the address of a peer", () => {
  for (const address of ["192.0.2.1", "192.0.2.254", "203.0.113.255", "198.51.100.1", "2001:db8::2", "fe80::1"]) {
    it(`may be ${address}`, () => {
      expect(isUnicast(parseIpAddress(address)!, networks)).to.equal(true);
    });
  }
  for (const [address, what] of [
    ["0.0.0.0", "unspecified"],
    ["0.1.2.3", "this network"],
    ["127.0.0.1", "loopback"],
    ["224.0.0.1", "multicast"],
    ["255.255.255.255", "limited broadcast"],
    ["192.0.2.255", "the directed broadcast of an own network"],
    ["::", "unspecified"],
    ["::1", "loopback"],
    ["ff02::1", "multicast"],
    ["::ffff:192.0.2.1", "mapped"],
  ] as const) {
    it(`may not be ${address}, ${what}`, () => {
      expect(isUnicast(parseIpAddress(address)!, networks)).to.equal(false);
    });
  }
});

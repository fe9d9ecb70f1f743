import { expect } from "chai";
import * as fc from "fast-check";
import { parseIpv4 } from "../../stack/wire/ip-address.ts";
import { type Ipv6Address, ipv6FromWords, parseIpv6 } from "../../stack/wire/ipv6-address.ts";
import { flowHash, pickNextHop } from "./flow-hash.ts";

const pairOf = <T>(one: fc.Arbitrary<T>): fc.Arbitrary<[T, T]> => fc.tuple(one, one);
const ipv6 = (): fc.Arbitrary<Ipv6Address> =>
  fc
    .tuple(...Array.from({ length: 4 }, () => fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 })))
    .map(([a, b, c, d]) => ipv6FromWords(a!, b!, c!, d!));
const address = (last: number): number => 0x0a000000 + last;

describe("the hash of a flow", () => {
  it("spreads flows that differ in one port evenly over next hops", () => {
    for (const count of [2, 3, 4, 8]) {
      const chosen = Array.from({ length: count }, () => 0);
      for (let port = 49_152; port < 49_152 + 8_000; port++)
        chosen[pickNextHop(flowHash(1, address(2), address(300), 6, port, 5001), count)]!++;
      // Five standard deviations of a binomial.
      const expected = 8_000 / count;
      for (const flows of chosen) expect(flows).to.be.closeTo(expected, 5 * Math.sqrt(expected));
    }
  });

  it("tells each part of the 5-tuple, and the seed, from others", () => {
    const hashes = [
      flowHash(1, address(1), address(2), 6, 10, 20),
      flowHash(2, address(1), address(2), 6, 10, 20),
      flowHash(1, address(3), address(2), 6, 10, 20),
      flowHash(1, address(1), address(3), 6, 10, 20),
      flowHash(1, address(1), address(2), 17, 10, 20),
      flowHash(1, address(1), address(2), 6, 11, 20),
      flowHash(1, address(1), address(2), 6, 10, 21),
    ];
    expect(new Set(hashes).size).to.equal(hashes.length);
    for (const hash of hashes) expect(hash).to.be.within(0, 2 ** 32 - 1);
  });

  it("tells each word of IPv6 addresses from others", () => {
    const server = parseIpv6("2001:db8:0:9::2")!;
    const clients = ["2001:db8:0:1::2", "2001:db9:0:1::2", "2001:db8:0:2::2", "2001:db8:0:1:1::2", "2001:db8:0:1::3"];
    const hashes = clients.map((text) => flowHash(1, parseIpv6(text)!, server, 6, 10, 20));
    expect(new Set(hashes).size).to.equal(hashes.length);
  });

  it("is the same for both directions of a flow", () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 0xffffffff }),
        fc.oneof(pairOf(fc.integer({ min: 0, max: 0xffffffff })), pairOf(ipv6())),
        pairOf(fc.integer({ min: 0, max: 0xffff })),
        (seed, [source, destination], [sourcePort, destinationPort]) => {
          const there = flowHash(seed, source, destination, 6, sourcePort, destinationPort);
          expect(flowHash(seed, destination, source, 6, destinationPort, sourcePort)).to.equal(there);
        },
      ),
    );
  });

  it("chooses independently at two routers, so that the second does not see one half of the flows only", () => {
    const both = [0, 0, 0, 0];
    for (let port = 1_000; port < 9_000; port++) {
      const [first, second] = [11, 12].map((seed) =>
        pickNextHop(flowHash(seed, address(2), address(9), 6, port, 80), 2),
      );
      both[2 * first! + second!]!++;
    }
    for (const flows of both) expect(flows).to.be.closeTo(2_000, 200);
  });

  it("takes the next hops that Linux 6.18 was seen to take", () => {
    // `fib_multipath_hash_seed = 7`, policy 3 over the 5-tuple, two next hops: the interface of `ip route get` for each of these flows from 10.9.0.2, 10.9.0.3 …
    const seen = [
      ["10.200.0.1", 1000, 80, 0],
      ["10.200.37.92", 1613, 5001, 1],
      ["10.200.74.183", 2226, 15514, 1],
      ["10.200.111.24", 2839, 5001, 0],
      ["10.200.148.115", 3452, 30948, 0],
      ["10.200.185.206", 4065, 5001, 0],
      ["10.200.222.47", 4678, 46382, 0],
      ["10.200.3.138", 5291, 5001, 0],
      ["10.200.40.229", 5904, 1816, 0],
      ["10.200.77.70", 6517, 5001, 1],
      ["10.200.114.161", 7130, 17250, 1],
      ["10.200.151.2", 7743, 5001, 0],
      ["10.200.188.93", 8356, 32684, 1],
      ["10.200.225.184", 8969, 5001, 0],
      ["10.200.6.25", 9582, 48118, 0],
      ["10.200.43.116", 10195, 5001, 0],
    ] as const;
    const taken = seen.map(([destination, sourcePort, destinationPort], index) => {
      const source = parseIpv4(`10.9.0.${2 + index}`)!;
      return pickNextHop(flowHash(7, source, parseIpv4(destination)!, 6, sourcePort, destinationPort), 2);
    });
    expect(taken).to.deep.equal(seen.map(([, , , nextHop]) => nextHop));
  });

  it("is what it always was", () => {
    expect([1, 2, 0xffffffff].map((seed) => flowHash(seed, address(2), address(9), 6, 40_000, 5_001))).to.deep.equal([
      4_000_490_218, 3_833_168_527, 2_575_053_512,
    ]);
  });
});

import { expect } from "chai";
import { parseIpv6 } from "../../stack/wire/ipv6-address.ts";
import { flowHash, pickNextHop } from "./flow-hash.ts";

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
      flowHash(1, address(2), address(1), 6, 20, 10),
    ];
    expect(new Set(hashes).size).to.equal(hashes.length);
    for (const hash of hashes) expect(hash).to.be.within(0, 2 ** 32 - 1);
  });

  it("tells each word of IPv6 addresses from others", () => {
    const server = parseIpv6("2001:db8:0:9::2")!;
    const clients = ["2001:db8:0:1::2", "2001:db9:0:1::2", "2001:db8:0:2::2", "2001:db8:0:1:1::2", "2001:db8:0:1::3"];
    const hashes = clients.flatMap((text) => [
      flowHash(1, parseIpv6(text)!, server, 6, 10, 20),
      flowHash(1, server, parseIpv6(text)!, 6, 10, 20),
    ]);
    expect(new Set(hashes).size).to.equal(hashes.length);
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

  it("is what it always was", () => {
    expect([0, 1, 2].map((seed) => flowHash(seed, address(2), address(9), 6, 40_000, 5_001))).to.deep.equal([
      3_449_562_425, 2_257_063_471, 1_099_255_586,
    ]);
  });
});

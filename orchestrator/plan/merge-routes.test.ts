import { expect } from "chai";
import * as fc from "fast-check";
import { formatSubnet, parseSubnet, subnetContains, type IpAddress } from "../model/ip-address.ts";
import { mergeRoutes, type PrefixRoute } from "./merge-routes.ts";

const hopsAt = (routes: readonly PrefixRoute<string>[], address: IpAddress): string | undefined =>
  routes.filter((route) => subnetContains(route, address)).sort((a, b) => b.prefixLength - a.prefixLength)[0]?.hops;

const families = {
  IPv4: {
    subnet: (number: number) => parseSubnet(`10.0.${number}.0/24`, "ipv4"),
    all: "0.0.0.0/0",
    pair: "10.0.2.0/23",
  },
  IPv6: {
    subnet: (number: number) => parseSubnet(`2001:db8:0:${number.toString(16)}::/64`, "ipv6"),
    all: "::/0",
    pair: "2001:db8:0:2::/63",
  },
};

const written = (routes: readonly PrefixRoute<string>[]): string[] =>
  routes.map((route) => `${formatSubnet(route)} ${route.hops}`);

for (const [family, { subnet, all, pair }] of Object.entries(families))
  describe(`merging routes of ${family}`, () => {
    it("makes one of all that go the same way", () => {
      const routes = [1, 2, 3, 7].map((number) => ({ ...subnet(number), hops: "up" }));
      expect(written(mergeRoutes(routes))).to.deep.equal([`${all} up`]);
    });

    it("keeps what goes another way, in the blocks that there are", () => {
      const routes = [0, 1, 2, 3, 4, 5, 6, 7].map((number) => ({
        ...subnet(number),
        hops: number === 2 || number === 3 ? "down" : "up",
      }));
      expect(written(mergeRoutes(routes))).to.deep.equal([`${all} up`, `${pair} down`]);
    });

    it("sends every address where it went before, with no more routes", () => {
      const tables = fc.uniqueArray(fc.tuple(fc.nat({ max: 63 }), fc.constantFrom("a", "b", "c")), {
        selector: ([number]) => number,
      });
      fc.assert(
        fc.property(tables, (table) => {
          const routes = table.map(([number, hops]) => ({ ...subnet(number), hops }));
          const merged = mergeRoutes(routes);
          expect(merged.length).to.be.at.most(routes.length);
          for (const { network, hops } of routes) expect(hopsAt(merged, network)).to.equal(hops);
        }),
      );
    });

    it("has no route where none is given", () => {
      expect(mergeRoutes([])).to.deep.equal([]);
    });
  });

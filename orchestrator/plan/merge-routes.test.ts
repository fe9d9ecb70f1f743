import { expect } from "chai";
import * as fc from "fast-check";
import { mergeRoutes, type PrefixRoute } from "./merge-routes.ts";

const hopsAt = (routes: readonly PrefixRoute<string>[], address: number): string | undefined =>
  routes
    .filter(({ network, prefixLength }) => address >= network && address < network + 2 ** (32 - prefixLength))
    .sort((a, b) => b.prefixLength - a.prefixLength)[0]?.hops;

const subnet = (number: number): number => 10 * 2 ** 24 + number * 256;

describe("merging routes", () => {
  it("makes one of all that go the same way", () => {
    const routes = [1, 2, 3, 7].map((number) => ({ network: subnet(number), prefixLength: 24, hops: "up" }));
    expect(mergeRoutes(routes)).to.deep.equal([{ network: 0, prefixLength: 0, hops: "up" }]);
  });

  it("keeps what goes another way, in the blocks that there are", () => {
    const routes = [0, 1, 2, 3, 4, 5, 6, 7].map((number) => ({
      network: subnet(number),
      prefixLength: 24,
      hops: number === 2 || number === 3 ? "down" : "up",
    }));
    expect(mergeRoutes(routes)).to.deep.equal([
      { network: 0, prefixLength: 0, hops: "up" },
      { network: subnet(2), prefixLength: 23, hops: "down" },
    ]);
  });

  it("sends every address where it went before, with no more routes", () => {
    const tables = fc.uniqueArray(fc.tuple(fc.nat({ max: 63 }), fc.constantFrom("a", "b", "c")), {
      selector: ([number]) => number,
    });
    fc.assert(
      fc.property(tables, (table) => {
        const routes = table.map(([number, hops]) => ({ network: subnet(number), prefixLength: 24, hops }));
        const merged = mergeRoutes(routes);
        expect(merged.length).to.be.at.most(routes.length);
        for (const { network, hops } of routes) expect(hopsAt(merged, network + 2)).to.equal(hops);
      }),
    );
  });

  it("has no route where none is given", () => {
    expect(mergeRoutes([])).to.deep.equal([]);
  });
});

import { expect } from "chai";
import { RateBudget } from "./rate-budget.ts";

describe("a rate budget", () => {
  it("admits what fits, and the others in their order as room comes back", async () => {
    const budget = new RateBudget(10);
    const begun: string[] = [];
    const begin = async (name: string, weight: number) => {
      await budget.acquire(weight);
      begun.push(name);
    };
    const all = [begin("a", 6), begin("b", 4), begin("c", 10), begin("d", 1)];
    await Promise.all(all.slice(0, 2));
    expect(begun).to.deep.equal(["a", "b"]);
    budget.release(4);
    await Promise.resolve();
    expect(begun, "d must not overtake c").to.deep.equal(["a", "b"]);
    budget.release(6);
    await all[2];
    expect(begun).to.deep.equal(["a", "b", "c"]);
    budget.release(10);
    await Promise.all(all);
    expect(begun).to.deep.equal(["a", "b", "c", "d"]);
  });
});

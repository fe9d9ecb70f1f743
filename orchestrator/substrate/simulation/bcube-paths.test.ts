import { expect } from "chai";
import { FlowPaths } from "../../plan/flow-paths.ts";
import { simulationPlan } from "../../plan/simulation-plans.fixture.ts";
import { megabitsPerSecond, observe, receiverOf } from "./simulation.fixture.ts";

describe("a connection between two servers of a BCube", function () {
  this.timeout(60_000);

  it("has the rate of both ports of a server, where the shortest path has that of one", async () => {
    const disjoint = await observe(simulationPlan("bcube"));
    const shortest = await observe(
      simulationPlan("bcube", ["hosts.host-1={ pathManager: n-different-ports, subflows: 2 }"]),
    );
    const [both, one] = [disjoint, shortest].map((observed) => megabitsPerSecond(receiverOf(observed, "copy client")));
    expect(one).to.be.within(8.5, 9.6);
    expect(both! / one!).to.be.above(1.8);
  });

  it("sends over links that its two paths do not share", () => {
    const plan = simulationPlan("bcube");
    const paths = new FlowPaths(plan);
    const [from, to] = ["host-0", "host-1"].map((host) => plan.nodes.find(({ name }) => name === host)!.interfaces);
    const links = to!.flatMap(({ address }) => paths.linksOf(`${from![0]!.address}:40000-${address}:5001`)!.slice(1));
    expect(new Set(links).size).to.equal(links.length);
    expect(links).to.have.length(2 + 1 + 6 + 1);
  });
});

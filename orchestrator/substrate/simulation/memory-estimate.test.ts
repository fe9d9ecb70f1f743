import { expect } from "chai";
import { scenarioPlan } from "./benchmark-scenario.ts";
import { SimulationError } from "./engine.ts";
import { estimateMemory, requireMemory } from "./memory-estimate.ts";
import { Simulation } from "./simulation.ts";

const tree = (traffic: string, k = 4) =>
  scenarioPlan({ network: `fat-tree: { k: ${k}, rate: 100mbit, delay: 10us }`, traffic, subflows: 8 });

describe("the memory that a simulation takes", () => {
  it("grows with hosts, and with what their send buffers hold at the same time", () => {
    const small = estimateMemory(tree("pattern: permutation, size: 100kB"));
    const full = estimateMemory(tree("pattern: permutation, duration: 1s"));
    expect([small.hosts, small.flows, small.bufferedBytes]).to.deep.equal([16, 16, 16 * 100_000]);
    expect([full.flows, full.bufferedBytes]).to.deep.equal([16, 16 * 4 * 2 ** 20]);
    expect(full.bytes).to.be.within(300e6, 400e6);
    const large = estimateMemory(tree("pattern: permutation, duration: 1s", 8));
    expect(large.bytes).to.be.within(1.6e9, 2.4e9);
  });

  it("does not add up flows of which one ends before the next begins", () => {
    const plan = tree("pattern: permutation, duration: 1s");
    const inTurn = { ...plan, workloads: plan.workloads.map((each, i) => ({ ...each, startMicroseconds: 2e6 * i })) };
    expect(estimateMemory(inTurn).flows).to.equal(1);
  });

  it("is told, with what would take less, when there is not so much", async () => {
    const plan = tree("pattern: permutation, duration: 1s");
    const message = /would take some 0\.3 GB, and 0\.2 GB are free: 16 hosts, and 16 flows at once with 0\.1 GB/;
    expect(() => requireMemory(plan, 200e6)).to.throw(SimulationError, message);
    const sink = {} as never;
    const signal = new AbortController().signal;
    const failure: unknown = await new Simulation(plan)
      .run({ sink, signal, availableBytes: 200e6 })
      .catch((error: unknown) => error);
    expect(failure).to.be.instanceOf(SimulationError);
  });
});

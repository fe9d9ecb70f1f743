import { join } from "node:path";
import { expect } from "chai";
import { formatDiagnostics } from "../model/diagnostics.ts";
import { loadExperiment, type LoadedExperiment } from "../model/load.ts";
import { planExperiment } from "./make-plan.ts";
import { estimateMemory } from "./memory-estimate.ts";
import type { Plan } from "./plan.ts";

const file = join(import.meta.dirname, "fixture", "fat-tree.yaml");

function load(settings: readonly string[]): LoadedExperiment {
  const loaded = loadExperiment(file, { settings });
  if (!loaded.ok) throw new Error(formatDiagnostics(loaded.diagnostics));
  return loaded.value;
}

function tree(...settings: string[]): Plan {
  const planned = planExperiment(load(settings), { lab: "0000", abilities: { netem: false } });
  if (!planned.ok) throw new Error(formatDiagnostics(planned.diagnostics));
  return planned.value;
}

describe("the memory that a simulation takes", () => {
  it("grows with hosts, and with what their send buffers hold at the same time", () => {
    const small = estimateMemory(tree("traffic.all={pattern: permutation, size: 100kB}"));
    const full = estimateMemory(tree());
    expect([small.hosts, small.flows, small.bufferedBytes]).to.deep.equal([16, 16, 16 * 100_000]);
    expect([full.flows, full.bufferedBytes]).to.deep.equal([16, 16 * 4 * 2 ** 20]);
    expect(full.bytes).to.be.above(2 * small.bytes);
  });

  it("does not add up flows of which one ends before the next begins", () => {
    const plan = tree();
    const inTurn = { ...plan, workloads: plan.workloads.map((each, i) => ({ ...each, startMicroseconds: 2e6 * i })) };
    expect(estimateMemory(inTurn).flows).to.equal(1);
  });

  it("refuses a plan that takes more than there is, with what would take less, before the network is planned", () => {
    const loaded = load([]);
    const at = (memoryBytes: number) =>
      planExperiment(loaded, { lab: "0000", abilities: { netem: false, memoryBytes } });
    const need = estimateMemory(tree()).bytes;
    expect(at(need).ok).to.equal(true);
    const refused = at(need - 1);
    expect(refused.ok).to.equal(false);
    if (refused.ok) return;
    expect(formatDiagnostics(refused.diagnostics)).to.match(
      /fat-tree\.yaml:4:\d+: topology: found a simulation of some 0\.\d GB: 16 hosts, and 16 flows at once with 0\.1 GB in their send buffers, expected at most 0\.\d GB, which are free[\s\S]*everyHost\.sendBuffer/,
    );
    expect(
      planExperiment(loaded, { lab: "0000", abilities: { netem: false, memoryBytes: 1 }, substrate: "namespaces" }).ok,
    ).to.equal(true);
  });
});

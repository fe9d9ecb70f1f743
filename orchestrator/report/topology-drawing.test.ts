import { join } from "node:path";
import { expect } from "chai";
import { loadExperiment } from "../model/load.ts";
import { planExperiment } from "../plan/make-plan.ts";
import { addressesOf, type Plan } from "../plan/plan.ts";
import { Palette } from "./palette.ts";
import type { RunView } from "./run-view.ts";
import { drawTopology } from "./topology-drawing.ts";

const experiments = join(import.meta.dirname, "../../experiments");

function drawing(experiment: string): { readonly plan: Plan; readonly svg: string } {
  const loaded = loadExperiment(join(experiments, experiment));
  if (!loaded.ok) throw new Error(JSON.stringify(loaded.diagnostics));
  const planned = planExperiment(loaded.value, {
    substrate: "simulation",
    lab: "0000",
    abilities: { netem: false, memoryBytes: 1e9 },
  });
  if (!planned.ok) throw new Error(JSON.stringify(planned.diagnostics));
  const plan = planned.value;
  const run = { plan, wire: undefined, events: [], series: [], links: { measurements: [] } } as unknown as RunView;
  return { plan, svg: drawTopology(run, new Palette([run])).text };
}

describe("the drawing of a topology", () => {
  for (const experiment of ["wifi-3g.yaml", "mixed-families.yaml"])
    it(`writes every address of every host, each in a line inside its host: ${experiment}`, () => {
      const { plan, svg } = drawing(experiment);
      const hosts = plan.nodes.filter(({ endpoint }) => endpoint !== undefined);
      const faces = hosts.flatMap(({ interfaces }) =>
        interfaces.flatMap((own) => addressesOf(own).map(({ address }) => `${own.name} ${address}`)),
      );
      expect([...svg.matchAll(/class="address">([^<]*)</g)].map(([, text]) => text)).to.have.members(faces);
      for (const [group] of svg.matchAll(/<g class="node host">[\s\S]*?<\/g>/g)) {
        const [, top, height] = /<rect x="[^"]*" y="([^"]*)" width="[^"]*" height="([^"]*)"/.exec(group)!.map(Number);
        for (const [, y] of group.matchAll(/y="([^"]*)" class="address"/g))
          expect(Number(y)).to.be.within(top!, top! + height!);
      }
    });
});

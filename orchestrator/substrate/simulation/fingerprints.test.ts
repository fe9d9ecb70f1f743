import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect } from "chai";
import { simulationPlan } from "../../plan/simulation-plans.fixture.ts";
import { observe, type Observed } from "./simulation.fixture.ts";

const golden = join(import.meta.dirname, "golden", "fingerprints.json");

type Fingerprints = Record<string, Observed["fingerprints"]>;

const shipped = ["wifi-3g", "wifi-3g-failover", "request-response"];
const seeds = [1, 2, 3, 4, 5, 6, 7];

/**
 * SHA-256 of everything that was observed in runs of the shipped experiments. They change whenever the stack, a path element or a workload does anything else
 * than before at any time: `UPDATE_GOLDEN=1` writes them anew, and the commit says why.
 */
describe("Fingerprints of simulations", function () {
  this.timeout(120_000);

  for (const name of shipped) {
    for (const seed of seeds) {
      it(`are those in git: ${name}, seed ${seed}`, async () => {
        const { fingerprints } = await observe(simulationPlan(name, [`seed=${seed}`]));
        const key = `${name} ${seed}`;
        if (process.env["UPDATE_GOLDEN"]) {
          const kept = JSON.parse(readFileSync(golden, "utf8")) as Fingerprints;
          writeFileSync(golden, `${JSON.stringify({ ...kept, [key]: fingerprints }, null, 2)}\n`);
        }
        expect(fingerprints).to.deep.equal((JSON.parse(readFileSync(golden, "utf8")) as Fingerprints)[key]);
      });
    }
  }
});

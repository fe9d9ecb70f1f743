/** A process of its own that runs the seeds it is told, so that a machine's processors share them. */

import { runScenario } from "./run-scenario.ts";
import { scenarioOf } from "./scenario.ts";
import { differences, shrink } from "./shrink.ts";

/** Seeds `from` up to, but not including, `to`. */
export interface SeedRange {
  from: number;
  to: number;
}

export interface FailingSeed {
  seed: number;
  /** What did not hold, and where an exception came from. */
  failure: string;
  /** The smallest scenario that fails in the same way, as it is to be kept. */
  shrunk: string;
}

export interface SeedReport {
  count: number;
  steps: number;
  failing: FailingSeed[];
}

export function runSeeds({ from, to }: SeedRange): SeedReport {
  const report: SeedReport = { count: to - from, steps: 0, failing: [] };
  for (let seed = from; seed < to; seed++) {
    const scenario = scenarioOf(seed);
    try {
      report.steps += runScenario(scenario).steps;
    } catch (error) {
      const failure = error instanceof Error ? (error.stack ?? error.message) : String(error);
      report.failing.push({ seed, failure, shrunk: JSON.stringify(differences(shrink(scenario))) });
    }
  }
  return report;
}

if (process.send !== undefined) {
  process.on("message", (range: SeedRange) => process.send!(runSeeds(range)));
}

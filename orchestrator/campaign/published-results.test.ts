/** The quick ones of `experiments/papers/`, each with its baselines, in virtual time: they pass by the bands that their files state. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect } from "chai";
import { formatDiagnostics } from "../model/diagnostics.ts";
import { loadExperiment } from "../model/load.ts";
import { runExperiment } from "./run-experiment.ts";

const papers = fileURLToPath(new URL("../../experiments/papers", import.meta.url));

describe("published results", function () {
  this.timeout(300_000);
  let directory: string;
  before(() => (directory = mkdtempSync(join(tmpdir(), "pathlab-papers-test-"))));
  after(() => rmSync(directory, { recursive: true, force: true }));

  for (const name of [
    "two-shaped-paths",
    "static-wifi-3g",
    "handover-questions",
    "schedulers-bulk",
    "schedulers-application-limited",
    "schedulers-burst",
    "without-reinjection",
  ]) {
    it(`${name}: experiment and baselines are within the bands`, async () => {
      const loaded = loadExperiment(join(papers, `${name}.yaml`));
      if (!loaded.ok) throw new Error(formatDiagnostics(loaded.diagnostics));
      const { verdict } = await runExperiment({
        loaded: loaded.value,
        substrate: "simulation",
        seed: loaded.value.experiment.seed,
        abilities: { netem: false },
        resultsDirectory: directory,
        command: ["run"],
        progress: () => undefined,
        signal: new AbortController().signal,
      });
      expect(verdict.invalidBecause).to.deep.equal([]);
      const missed = verdict.expectations
        .filter(({ passed }) => !passed)
        .map(
          ({ baseline, metric, measured, expected }) => `${baseline ?? name}: ${metric} ${measured}, not ${expected}`,
        );
      expect(missed).to.deep.equal([]);
      expect(verdict.expectations.length).to.be.at.least(3);
    });
  }
});

import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { basename, join } from "node:path";
import { tmpdir } from "node:os";
import { fileURLToPath } from "node:url";
import { expect } from "chai";
import { openBundle } from "../bundle/open-bundle.ts";
import { verifyBundle } from "../bundle/verify-bundle.ts";
import { formatDiagnostics } from "../model/diagnostics.ts";
import { loadExperiment } from "../model/load.ts";
import type { LoadedExperiment } from "../model/load.ts";
import { verdictSchema } from "../verdict/verdict-schema.ts";
import { concludeRepetitions } from "./conclude-repetitions.ts";
import { runExperiment } from "./run-experiment.ts";
import type { ExperimentOutcome } from "./run-experiment.ts";

const topology = fileURLToPath(new URL("../../topologies/wifi-3g.yaml", import.meta.url));

/** Of each run it is asked that it is intact; the rest of all together. */
const experiment = `
version: 1
name: over-repetitions
topology: ${JSON.stringify(topology)}
on: simulation
seed: 7
repeat: 3
workload: { download: { kind: bulk, from: server, to: phone, size: 200kB } }
expect:
  download:
    intact: true
    goodput: { over: repetitions, statistic: median, atLeast: 1mbit, atMost: 9mbit }
    completion: { over: repetitions, statistic: max, atMost: 5s }
capture: { enabled: false }
`;

describe("all repetitions of an experiment", function () {
  this.timeout(120_000);
  let directory: string;
  let loaded: LoadedExperiment;
  const runs: { seed: number; outcome: ExperimentOutcome }[] = [];

  const load = (file: string): LoadedExperiment => {
    const checked = loadExperiment(file);
    if (!checked.ok) throw new Error(formatDiagnostics(checked.diagnostics));
    return checked.value;
  };

  before(async () => {
    directory = mkdtempSync(join(tmpdir(), "pathlab-repetitions-test-"));
    writeFileSync(join(directory, "experiment.yaml"), experiment);
    loaded = load(join(directory, "experiment.yaml"));
    for (const seed of [7, 8, 9])
      runs.push({
        seed,
        outcome: await runExperiment({
          loaded,
          substrate: "simulation",
          seed,
          abilities: { netem: false },
          resultsDirectory: directory,
          command: ["run"],
          progress: () => undefined,
          signal: new AbortController().signal,
        }),
      });
  });
  after(() => rmSync(directory, { recursive: true }));

  it("have one verdict in a sealed bundle that names the bundles of the runs", async () => {
    const together = await concludeRepetitions({
      loaded,
      substrate: "simulation",
      runs,
      resultsDirectory: directory,
      command: ["run"],
    });
    expect(together.verdict.outcome).to.equal("passed");
    expect(together.verdict.expectations.map(({ metric, expected }) => [metric, expected])).to.deep.equal([
      ["goodput", "median of 3 runs at least 1 Mbit/s, at most 9 Mbit/s"],
      ["completion", "max of 3 runs at most 5 s"],
      ["intact", "every byte once, in order, unchanged, in each run"],
    ]);
    expect((await verifyBundle(together.directory)).problems).to.deep.equal([]);
    const bundle = await openBundle(together.directory);
    expect(await bundle.json("verdict.json", verdictSchema)).to.deep.equal(together.verdict);
    expect(bundle.manifest.repetitions).to.deep.equal(
      runs.map(({ seed, outcome }) => ({ seed, bundle: basename(outcome.directory), outcome: "passed" })),
    );
    const page = readFileSync(join(together.directory, "report.html"), "utf8");
    expect(page).to.contain("3 of 3 runs passed by what is expected of each; 3 of 3 expectations hold over all.");
    for (const { outcome } of runs) expect(page).to.contain(basename(outcome.directory));
  });

  it("leave an experiment from which all of them can be run again, and each run one from which it alone can", async () => {
    const together = await concludeRepetitions({
      loaded,
      substrate: "simulation",
      runs,
      resultsDirectory: directory,
      command: ["run"],
    });
    const all = load(join(together.directory, "experiment.yaml")).experiment;
    expect([all.seed, all.repeat, all.on]).to.deep.equal([7, 3, "simulation"]);
    const one = load(join(runs[1]!.outcome.directory, "experiment.yaml")).experiment;
    expect([one.seed, one.repeat]).to.deep.equal([8, 1]);
  });

  it("are judged by what the runs measured and did not judge, which their pages say", () => {
    for (const { outcome } of runs) {
      expect(outcome.verdict.expectations.map(({ metric }) => metric)).to.deep.equal(["intact"]);
      expect(readFileSync(join(outcome.directory, "report.html"), "utf8")).to.contain(
        "Not judged here, but over all repetitions:",
      );
    }
  });
});

import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect } from "chai";
import type { SubstrateName } from "../model/experiment.ts";
import { formatDiagnostics } from "../model/diagnostics.ts";
import { loadExperiment } from "../model/load.ts";
import type { LoadedExperiment } from "../model/load.ts";
import { compareSubstrates, type SubstrateComparison } from "./compare-substrates.ts";
import { runExperiment, type ExperimentOutcome } from "./run-experiment.ts";

const topology = fileURLToPath(new URL("../../topologies/wifi-3g.yaml", import.meta.url));
const experiment = `
version: 1
name: compared
topology: ${JSON.stringify(topology)}
workload:
  download: { kind: bulk, from: server, to: phone, size: 1MB }
  voice: { kind: request-response, client: phone, server: server, request: 750B, response: 750B, interval: 400ms, count: 3 }
baselines:
  never-run: { set: { workload.download.size: 2MB } }
`;

describe("an experiment on two substrates", function () {
  this.timeout(120_000);
  let directory: string;
  before(() => {
    directory = mkdtempSync(join(tmpdir(), "pathlab-compare-test-"));
    writeFileSync(join(directory, "compared.yaml"), experiment);
  });
  after(() => rmSync(directory, { recursive: true, force: true }));

  function load(...settings: string[]): LoadedExperiment {
    const loaded = loadExperiment(join(directory, "compared.yaml"), { settings });
    if (!loaded.ok) throw new Error(formatDiagnostics(loaded.diagnostics));
    return loaded.value;
  }

  const simulate = (loaded: LoadedExperiment, seed: number): Promise<ExperimentOutcome> =>
    runExperiment({
      loaded,
      substrate: "simulation",
      seed,
      abilities: { netem: false },
      resultsDirectory: join(directory, "results"),
      command: ["run"],
      progress: () => undefined,
      signal: new AbortController().signal,
    });

  /** @param other what stands in for the second substrate: the same simulation of something else */
  const compare = (other: (loaded: LoadedExperiment, seed: number) => Promise<ExperimentOutcome>) =>
    compareSubstrates({
      loaded: load(),
      substrates: ["simulation", "namespaces"],
      seeds: [1, 2],
      run: (loaded, substrate: SubstrateName, seed) =>
        substrate === "simulation" ? simulate(loaded, seed) : other(loaded, seed),
    });

  const figure = ({ figures }: SubstrateComparison, of: string, metric: string) =>
    figures.find((one) => one.of === of && one.metric === metric);

  it("agrees with itself, in every figure, with an interval around each", async () => {
    const comparison = await compare(simulate);
    expect(comparison.agrees).to.equal(true);
    expect(comparison.runs.map(({ substrate, seed }) => [substrate, seed])).to.deep.equal([
      ["simulation", 1],
      ["namespaces", 1],
      ["simulation", 2],
      ["namespaces", 2],
    ]);
    expect(comparison.figures.map(({ of, metric }) => `${of} ${metric}`)).to.deep.equal([
      "download goodput",
      "download completion",
      "download longestGap",
      "download share of 3g",
      "download share of wifi",
      "voice completion",
      "voice longestGap",
      "voice latency",
      "voice share of 3g",
      "voice share of wifi",
    ]);
    const { simulation, namespaces } = figure(comparison, "download", "goodput")!.estimates;
    expect(simulation!.mean).to.be.within(1e6, 10e6);
    expect(simulation!.halfWidth).to.be.a("number");
    expect(namespaces).to.deep.equal(simulation);
  });

  it("says which figures differ where the other is slower", async () => {
    const slower = load("faults=[{ at: 0s, link: wifi, do: set, to: { rate: 2mbit } }]");
    const comparison = await compare((_loaded, seed) => simulate({ ...slower, baselines: [] }, seed));
    expect(comparison.agrees).to.equal(false);
    expect(figure(comparison, "download", "goodput")!.agrees).to.equal(false);
    expect(figure(comparison, "download", "completion")!.agrees).to.equal(false);
  });

  it("averages no invalid run in, and does not agree with one", async () => {
    const comparison = await compare(async (loaded, seed) => {
      const outcome = await simulate(loaded, seed);
      const verdict = {
        ...outcome.verdict,
        outcome: "invalid" as const,
        invalidBecause: ["a link was out of tolerance"],
      };
      return { ...outcome, verdict };
    });
    expect(comparison.agrees).to.equal(false);
    expect(comparison.runs.filter(({ invalidBecause }) => invalidBecause.length > 0)).to.have.length(2);
    expect(figure(comparison, "download", "goodput")!.estimates).to.have.all.keys("simulation");
  });

  it("ends where a run did before its time", async () => {
    const failure = await compare(async (loaded, seed) => ({
      ...(await simulate(loaded, seed)),
      error: new Error("no permission"),
    })).catch((error: unknown) => error);
    expect(failure).to.have.property("message", "no permission");
  });
});

import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect } from "chai";
import { digestFile, listFiles } from "../../bundle/hash-files.ts";
import { bundleFiles } from "../../bundle/layout.ts";
import { verifyBundle } from "../../bundle/verify-bundle.ts";
import { formatDiagnostics } from "../../model/diagnostics.ts";
import { loadExperiment } from "../../model/load.ts";
import { runExperiment, type ExperimentOutcome } from "../run-experiment.ts";
import { runSimulations, workersFor } from "./parallel-simulations.ts";
import type { SimulationJob } from "./protocol.ts";

const topology = fileURLToPath(new URL("../../../topologies/wifi-3g.yaml", import.meta.url));

const experiment = (size: string): string => `
version: 1
name: repeated
topology: ${JSON.stringify(topology)}
on: simulation
hosts: { phone: { endpoint: pathlab }, server: { endpoint: pathlab } }
workload: { download: { kind: bulk, from: server, to: phone, size: ${size} } }
expect: { download: { intact: true } }
`;

describe("simulations on several processors", function () {
  this.timeout(120_000);
  let directory: string;

  before(() => {
    directory = mkdtempSync(join(tmpdir(), "pathlab-parallel-test-"));
    writeFileSync(join(directory, "short.yaml"), experiment("300kB"));
    writeFileSync(join(directory, "long.yaml"), experiment("2GB"));
  });
  after(() => rmSync(directory, { recursive: true, force: true }));

  const jobs = (name: string, seeds: readonly number[]): SimulationJob[] =>
    seeds.map((seed) => ({
      file: join(directory, name),
      settings: [],
      seed,
      resultsDirectory: join(directory, "results"),
      command: ["run"],
    }));

  async function alone({ file, seed, resultsDirectory, command }: SimulationJob): Promise<ExperimentOutcome> {
    const loaded = loadExperiment(file);
    if (!loaded.ok) throw new Error(formatDiagnostics(loaded.diagnostics));
    const signal = new AbortController().signal;
    const progress = (): void => undefined;
    const abilities = { netem: false };
    const common = { resultsDirectory, command, progress, signal, abilities };
    return runExperiment({ loaded: loaded.value, substrate: "simulation", seed, ...common });
  }

  /** What a bundle holds, but for its manifest and the page made of it: those tell when and where it was made. */
  async function contentOf(bundle: string): Promise<Record<string, string>> {
    const names = (await listFiles(bundle)).filter(
      (name) => name !== bundleFiles.manifest && name !== bundleFiles.report,
    );
    return Object.fromEntries(
      await Promise.all(names.map(async (name) => [name, (await digestFile(join(bundle, name))).sha256] as const)),
    );
  }

  it("leave the bundles that they leave one after the other, in the order that was asked for", async () => {
    const asked = jobs("short.yaml", [1, 2, 3, 4]);
    const options = { workers: 2, signal: new AbortController().signal, progress: () => undefined };
    const parallel: ExperimentOutcome[] = [];
    for await (const outcome of runSimulations(asked, options)) parallel.push(outcome);
    expect(parallel).to.have.length(4);
    for (const [index, outcome] of parallel.entries()) {
      const serial = await alone(asked[index]!);
      expect(outcome.verdict).to.deep.equal(serial.verdict);
      expect(await contentOf(outcome.directory)).to.deep.equal(await contentOf(serial.directory));
    }
  });

  it("are stopped by one signal, with what was simulated kept, and none is begun after it", async () => {
    const stop = new AbortController();
    const begun = new Set<number>();
    const progress = (job: SimulationJob): void => {
      begun.add(job.seed);
      if (begun.size === 2) stop.abort(new Error("interrupted by a test"));
    };
    const outcomes: ExperimentOutcome[] = [];
    const options = { workers: 2, signal: stop.signal, progress };
    for await (const outcome of runSimulations(jobs("long.yaml", [1, 2, 3]), options)) outcomes.push(outcome);
    expect(outcomes.map(({ error }) => error?.message)).to.deep.equal([
      "interrupted by a test",
      "interrupted by a test",
    ]);
    for (const { directory: bundle } of outcomes) expect((await verifyBundle(bundle)).problems).to.deep.equal([]);
    expect([...begun].sort((a, b) => a - b)).to.deep.equal([1, 2]);
  });

  it("end with what kept one from beginning", async () => {
    const none = runSimulations(jobs("missing.yaml", [1, 2]), {
      workers: 1,
      signal: new AbortController().signal,
      progress: () => undefined,
    });
    const failure: unknown = await none.next().catch((error: unknown) => error);
    expect(String(failure)).to.match(/missing\.yaml/);
  });

  it("are as many at the same time as processors and memory allow, and never none", () => {
    expect(workersFor(10, 4, 1e9, 3.5e9)).to.equal(3);
    expect(workersFor(10, 4, 1e9, 64e9)).to.equal(4);
    expect(workersFor(2, 4, 1e9, 64e9)).to.equal(2);
    expect(workersFor(2, 4, 1e9, 1)).to.equal(1);
  });
});

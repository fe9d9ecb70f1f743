import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "chai";
import fc from "fast-check";
import { bundleFiles } from "../bundle/layout.ts";
import type { ResultsRecord } from "../bundle/records.ts";
import { loadExperiment } from "../model/load.ts";
import { planExperiment } from "../plan/make-plan.ts";
import { type RandomExperiment, randomExperiment } from "./random-experiment.fixture.ts";
import { runExperiment } from "./run-experiment.ts";

const asked = process.env["RANDOM_EXPERIMENTS"];

/** What may come of a transfer over a network that fails: nobody answers, or there was too little time. */
const excused = new Set(["EHOSTUNREACH", "ENETUNREACH", "ETIMEDOUT", "ETIME"]);
const compared = [bundleFiles.capture, bundleFiles.metrics, bundleFiles.events, bundleFiles.flows, bundleFiles.verdict];

/** The same forty in each test run; RANDOM_EXPERIMENTS: so many others, each time. What they find goes on for minutes when it is shrunk; the seed and the files are told at once. */
describe("experiments that nobody thought of", function () {
  this.timeout(3_600_000);
  let directory: string;
  let runs = 0;
  before(() => (directory = mkdtempSync(join(tmpdir(), "pathlab-random-experiments-"))));
  after(() => rmSync(directory, { recursive: true }));

  /** Undefined where the plan refuses it. The files that two runs have to agree in, and what became of the transfers. */
  async function run({ topology, experiment }: RandomExperiment) {
    const own = join(directory, String(runs++));
    mkdirSync(own);
    try {
      writeFileSync(join(own, "network.yaml"), JSON.stringify(topology));
      writeFileSync(join(own, "random.yaml"), JSON.stringify(experiment));
      const loaded = loadExperiment(join(own, "random.yaml"));
      if (!loaded.ok) return undefined;
      const abilities = { netem: false };
      if (!planExperiment(loaded.value, { substrate: "simulation", lab: "0000", abilities }).ok) return undefined;
      const { seed } = loaded.value.experiment;
      const {
        directory: bundle,
        verdict,
        error,
      } = await runExperiment({
        loaded: loaded.value,
        substrate: "simulation",
        seed,
        abilities,
        resultsDirectory: own,
        command: ["run"],
        progress: () => undefined,
        signal: new AbortController().signal,
      });
      const results = JSON.parse(readFileSync(join(bundle, bundleFiles.results), "utf8")) as ResultsRecord;
      return { verdict, error, results, files: compared.map((name) => readFileSync(join(bundle, name), "latin1")) };
    } finally {
      rmSync(own, { recursive: true });
    }
  }

  it("end, carry every byte or say why not, and are the same when they run again", async () => {
    let simulated = 0;
    await fc.assert(
      fc.asyncProperty(randomExperiment, async (random) => {
        const outcome = await run(random);
        fc.pre(outcome !== undefined);
        expect(outcome.error).to.equal(undefined);
        const failed = outcome.results.workloads.filter(({ errors }) => errors.length > 0);
        for (const { errors } of failed) for (const { code } of errors) expect(excused).to.include(code);
        const damaged = outcome.verdict.expectations.filter(({ passed, witness }) => !passed && witness !== "none");
        const names = failed.map(({ workload }) => workload.replace(/^crowd-\d+$/, "crowd"));
        for (const { workload } of damaged) expect(names).to.include(workload);
        if (simulated++ % 4 === 0) expect((await run(random))!.files).to.deep.equal(outcome.files);
      }),
      { ...(asked === undefined ? { numRuns: 40, seed: 1 } : { numRuns: Number(asked) }), endOnFailure: true },
    );
  });
});

/** What all repetitions of an experiment come to: one verdict, in a bundle beside those of the runs. */
import { basename } from "node:path";
import { bundleFiles } from "../bundle/layout.ts";
import { openBundle } from "../bundle/open-bundle.ts";
import { writeRepetitionsBundle } from "../bundle/repetitions-bundle.ts";
import type { SubstrateName } from "../model/experiment.ts";
import type { LoadedExperiment } from "../model/load.ts";
import { renderReport } from "../report/render-report.ts";
import { judgeRepetitions } from "../verdict/judge-repetitions.ts";
import { printJUnit } from "../verdict/junit.ts";
import type { Verdict } from "../verdict/verdict.ts";
import type { ExperimentOutcome } from "./run-experiment.ts";

export interface Repetitions {
  readonly loaded: LoadedExperiment;
  readonly substrate: SubstrateName;
  /** At least one, in the order of their seeds. */
  readonly runs: readonly { readonly seed: number; readonly outcome: ExperimentOutcome }[];
  readonly resultsDirectory: string;
  /** The arguments of `pathlab`, for the manifest. */
  readonly command: readonly string[];
}

export interface RepetitionsOutcome {
  readonly directory: string;
  readonly verdict: Verdict;
}

/** Throws `BundleError` where a run's bundle cannot be read, or this one not be written. */
export async function concludeRepetitions(repetitions: Repetitions): Promise<RepetitionsOutcome> {
  const { loaded, substrate, runs, resultsDirectory, command } = repetitions;
  const verdict = judgeRepetitions(runs.map(({ seed, outcome }) => ({ seed, verdict: outcome.verdict })));
  const manifests = await Promise.all(runs.map(async ({ outcome }) => (await openBundle(outcome.directory)).manifest));
  const [first, last] = [manifests[0]!, manifests.at(-1)!];
  const { experiment, topology, modules } = loaded;
  const { seed } = runs[0]!;
  const judgedAt = new Date();
  const durationMicroseconds = (Date.parse(last.run.endedAt) - Date.parse(first.run.startedAt)) * 1000;
  const directory = await writeRepetitionsBundle(resultsDirectory, {
    experiment: experiment.name,
    judgedAt,
    files: {
      // As resolved: to run all of it again.
      [bundleFiles.experiment]: loaded.textWith({
        topology: bundleFiles.topology,
        seed,
        repeat: runs.length,
        on: substrate,
      }),
      [bundleFiles.topology]: topology.text,
      ...Object.fromEntries([...topology.files, ...modules].map(({ name, text }) => [name, text])),
      [bundleFiles.verdict]: `${JSON.stringify(verdict, null, 2)}\n`,
      [bundleFiles.junit]: printJUnit(verdict, {
        experiment: experiment.name,
        startedAt: first.run.startedAt,
        durationMicroseconds,
      }),
    },
    description: {
      repetitions: runs.map(({ seed: own, outcome }) => ({
        seed: own,
        bundle: basename(outcome.directory),
        outcome: outcome.verdict.outcome,
      })),
      command: [...command],
      substrate,
      endpoints: first.endpoints,
      seeds: { experiment: seed, payload: {} },
      run: {
        startedAt: first.run.startedAt,
        endedAt: judgedAt.toISOString(),
        zeroEpochMicroseconds: 0,
        ended: manifests.find(({ run }) => run.ended !== "completed")?.run.ended ?? "completed",
      },
      machine: first.machine,
      valid: verdict.outcome !== "invalid",
      outcome: verdict.outcome,
    },
  });
  await renderReport(directory);
  return { directory, verdict };
}

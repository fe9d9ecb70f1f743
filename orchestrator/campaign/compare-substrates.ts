/** One experiment on several substrates, each so many times with the same seeds: do they tell the same? */
import { openBundle } from "../bundle/open-bundle.ts";
import type { SubstrateName } from "../model/experiment.ts";
import type { LoadedExperiment } from "../model/load.ts";
import { compareFigures, type ComparedFigure } from "../verdict/comparison/compare-figures.ts";
import { figuresOf, type Figure } from "../verdict/comparison/run-figures.ts";
import type { ExperimentOutcome } from "./run-experiment.ts";

export interface ComparedRun {
  readonly substrate: SubstrateName;
  readonly seed: number;
  readonly directory: string;
  /** Why the run says nothing: it is told, and never averaged in. */
  readonly invalidBecause: readonly string[];
}

export interface SubstrateComparison {
  readonly runs: readonly ComparedRun[];
  readonly figures: readonly ComparedFigure[];
  /** Whether there is a valid run of each substrate, none is invalid, and no figure disagrees. */
  readonly agrees: boolean;
}

export interface SubstrateComparisonRequest {
  readonly loaded: LoadedExperiment;
  /** The first one's figures are what those of the others are held against. */
  readonly substrates: readonly SubstrateName[];
  readonly seeds: readonly number[];
  /** Rejects where the machine lacks something. */
  readonly run: (loaded: LoadedExperiment, substrate: SubstrateName, seed: number) => Promise<ExperimentOutcome>;
}

/** Baselines are left out: they are experiments of their own, of which each can be compared as such. Rejects with what ended a run before its time. */
export async function compareSubstrates(request: SubstrateComparisonRequest): Promise<SubstrateComparison> {
  const { substrates, seeds, run } = request;
  const loaded = { ...request.loaded, baselines: [] };
  const runs: ComparedRun[] = [];
  const figures = new Map<SubstrateName, (readonly Figure[])[]>(substrates.map((substrate) => [substrate, []]));
  // One of each, then the next of each: what changes on the machine while it lasts changes for all.
  for (const seed of seeds) {
    for (const substrate of substrates) {
      const { directory, verdict, error } = await run(loaded, substrate, seed);
      if (error !== undefined) throw error;
      runs.push({ substrate, seed, directory, invalidBecause: verdict.invalidBecause });
      if (verdict.invalidBecause.length === 0)
        figures.get(substrate)!.push(await figuresOf(await openBundle(directory)));
    }
  }
  const compared = compareFigures(substrates.map((name) => ({ name, runs: figures.get(name)! })));
  const valid = runs.every(({ invalidBecause }) => invalidBecause.length === 0);
  return { runs, figures: compared, agrees: valid && compared.every(({ agrees }) => agrees !== false) };
}

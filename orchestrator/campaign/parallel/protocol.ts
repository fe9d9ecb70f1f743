/** What passes between a process that wants simulations and those that run them: structured clones, so that errors stay errors. */
import type { ExperimentOutcome } from "../run-experiment.ts";

export interface SimulationJob {
  readonly file: string;
  /** As given with `--set`. */
  readonly settings: readonly string[];
  readonly seed: number;
  readonly resultsDirectory: string;
  /** For the manifest. */
  readonly command: readonly string[];
}

export type ToWorker =
  | { readonly do: "run"; readonly job: SimulationJob }
  | { readonly do: "stop"; readonly reason: Error };

export type FromWorker =
  | { readonly progress: string }
  | { readonly outcome: ExperimentOutcome }
  /** The run could not even begin, or its bundle not be written. */
  | { readonly failed: Error };

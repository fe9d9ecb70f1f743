/** One case through all checks and the simulation: the same way as that of every experiment, into a bundle that is thrown away. */
import { mkdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { formatDiagnostics } from "../../model/diagnostics.ts";
import { loadExperiment, type LoadedExperiment } from "../../model/load.ts";
import type { Topology } from "../../model/topology.ts";
import { planExperiment } from "../../plan/make-plan.ts";
import { performAlone, type PerformedPart } from "../run-experiment.ts";
import { simulatedLab } from "../simulated-run.ts";
import { printCase, type Case } from "./case.ts";

export type CaseRun =
  | { readonly ok: true; readonly topology: Topology; readonly performed: PerformedPart }
  /** Not an experiment, or none that the simulation carries. */
  | { readonly ok: false; readonly problem: string };

export type CaseRunner = (given: Case) => Promise<CaseRun>;

/**
 * @param directory for files of this runner alone; its maker removes it
 * @param beside files that topologies and experiments name, beside them
 */
export function caseRunner(
  directory: string,
  beside: LoadedExperiment["topology"]["files"],
  signal: AbortSignal,
): CaseRunner {
  for (const { name, text } of beside) {
    mkdirSync(dirname(join(directory, name)), { recursive: true });
    writeFileSync(join(directory, name), text);
  }
  return async (given) => {
    signal.throwIfAborted();
    const printed = printCase(given, "topology.yaml");
    writeFileSync(join(directory, "experiment.yaml"), printed.experiment);
    writeFileSync(join(directory, "topology.yaml"), printed.topology);
    const loaded = loadExperiment(join(directory, "experiment.yaml"));
    if (!loaded.ok) return { ok: false, problem: formatDiagnostics(loaded.diagnostics) };
    const { seed } = loaded.value.experiment;
    const options = { substrate: "simulation", lab: simulatedLab, seed, abilities: { netem: false } } as const;
    const planned = planExperiment(loaded.value, options);
    if (!planned.ok) return { ok: false, problem: formatDiagnostics(planned.diagnostics) };
    const performed = await performAlone({
      loaded: loaded.value,
      ...options,
      resultsDirectory: join(directory, "results"),
      command: [],
      progress: () => undefined,
      signal,
    });
    signal.throwIfAborted();
    return { ok: true, topology: loaded.value.topology.topology, performed };
  };
}

/** Plans for the simulation, of shipped experiments and of such as a test writes. */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { formatDiagnostics } from "../model/diagnostics.ts";
import { loadExperiment } from "../model/load.ts";
import { planExperiment } from "./make-plan.ts";
import type { Plan } from "./plan.ts";

const repository = join(import.meta.dirname, "../..");

/** `name`: of a shipped experiment; `settings` as for `--set`. */
export function simulationPlan(name: string, settings: readonly string[] = []): Plan {
  return planOf(join(repository, "experiments", `${name}.yaml`), settings);
}

/** `topology` and `experiment` without their version and name. */
export function writtenPlan(topology: string, experiment: string): Plan {
  const directory = mkdtempSync(join(tmpdir(), "pathlab-simulation-test-"));
  try {
    const file = join(directory, "experiment.yaml");
    writeFileSync(join(directory, "network.yaml"), `version: 1\nname: network\n${topology}\n`);
    writeFileSync(file, `version: 1\nname: experiment\ntopology: network.yaml\n${experiment}\n`);
    return planOf(file);
  } finally {
    rmSync(directory, { recursive: true });
  }
}

function planOf(file: string, settings: readonly string[] = []): Plan {
  const loaded = loadExperiment(file, { settings });
  if (!loaded.ok) throw new Error(formatDiagnostics(loaded.diagnostics));
  const planned = planExperiment(loaded.value, { substrate: "simulation", lab: "0000", abilities: { netem: false } });
  if (!planned.ok) throw new Error(formatDiagnostics(planned.diagnostics));
  return planned.value;
}

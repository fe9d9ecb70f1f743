import type { Command } from "commander";
import { formatDiagnostics } from "../model/diagnostics.ts";
import type { Checked } from "../model/diagnostics.ts";
import { loadFile, type LoadedExperiment } from "../model/load.ts";
import { planExperiment } from "../plan/make-plan.ts";

/** `pathlab validate FILE…`: exit code 2 when a file has a problem, each problem on stderr. */
export function registerValidateCommand(program: Command): void {
  program
    .command("validate")
    .summary("check files without running anything")
    .description(
      "Checks experiments, topologies and link profiles, recognised by what is in them, and tells every problem with its place.",
    )
    .argument("<file...>", "YAML files")
    .option("--json", "print one JSON object a file")
    .action((files: string[], { json }: { json?: true }) => {
      for (const file of files) {
        const checked = withItsPlan(loadFile(file));
        if (!checked.ok) process.exitCode = 2;
        if (json)
          process.stdout.write(
            `${JSON.stringify({ file, ok: checked.ok, diagnostics: checked.ok ? [] : checked.diagnostics })}\n`,
          );
        else if (checked.ok) process.stdout.write(`${file}: ok\n`);
        else process.stderr.write(formatDiagnostics(checked.diagnostics));
      }
    });
}

/** An experiment that is to be simulated is planned as well: whether a simulation can carry it depends on nothing but the memory of this machine. */
function withItsPlan(checked: ReturnType<typeof loadFile>): Checked<unknown> {
  if (!checked.ok || !("experiment" in checked.value)) return checked;
  const loaded = checked.value as LoadedExperiment;
  if (loaded.experiment.on !== "simulation") return checked;
  const abilities = { netem: false, memoryBytes: process.availableMemory() };
  return planExperiment(loaded, { lab: "0000", abilities });
}

import { Option } from "commander";
import type { Command } from "commander";
import { formatDiagnostics } from "../model/diagnostics.ts";
import { substrateNames } from "../model/experiment.ts";
import type { SubstrateName } from "../model/experiment.ts";
import { loadExperiment } from "../model/load.ts";
import { describePlan } from "../plan/describe-plan.ts";
import { planExperiment } from "../plan/make-plan.ts";
import type { PlanOptions } from "../plan/make-plan.ts";
import type { MachineAbilities } from "../plan/link-realisation.ts";
import { collectSetting, parseSeed } from "./options.ts";

interface PlanCommandOptions {
  readonly on?: SubstrateName;
  readonly set: readonly string[];
  readonly seed?: number;
  readonly json?: true;
}

/** Stands for the number that a lab is given when it is made. */
const noLab = "0000";

/** `pathlab plan FILE`: what a run would create and do, and why; nothing is created. */
export function registerPlanCommand(program: Command): void {
  program
    .command("plan")
    .summary("show what a run would create, and why")
    .description(
      "Prints nodes, addresses, links, routes, kernel settings, workloads and faults of a run, each with its reason. Nothing is created.",
    )
    .argument("<experiment>", "experiment file")
    .addOption(new Option("--on <substrate>", "what to run on").choices(substrateNames))
    .option("--set <key=value>", "set a key of the experiment file; may be given again", collectSetting, [])
    .option("--seed <number>", "seed of everything random", parseSeed)
    .option("--json", "print the plan as JSON, those of the baselines with it")
    .action(async (file: string, { on, set, seed, json }: PlanCommandOptions) => {
      const loaded = loadExperiment(file, { settings: set });
      if (!loaded.ok) return refuse(formatDiagnostics(loaded.diagnostics));
      const substrate = on ?? loaded.value.experiment.on;
      const simulated = substrate === "simulation";
      const options: PlanOptions = {
        lab: noLab,
        abilities: {
          ...(simulated ? { netem: false } : await abilitiesOfKernel()),
          memoryBytes: process.availableMemory(),
        },
        substrate,
        ...(seed !== undefined && { seed }),
      };
      const plan = planExperiment(loaded.value, options);
      const baselines = loaded.value.baselines.map((baseline) => ({
        name: baseline.name,
        plan: planExperiment(baseline, options),
      }));
      // A run on the simulation leaves out baselines that ask for a kernel.
      const diagnostics = [plan, ...(simulated ? [] : baselines.map((baseline) => baseline.plan))].flatMap((result) =>
        result.ok ? [] : result.diagnostics,
      );
      if (!plan.ok || diagnostics.length > 0) return refuse(formatDiagnostics(diagnostics));
      if (json) {
        const plans = Object.fromEntries(
          baselines.flatMap((baseline) => (baseline.plan.ok ? [[baseline.name, baseline.plan.value]] : [])),
        );
        process.stdout.write(`${JSON.stringify({ plan: plan.value, baselines: plans }, null, 2)}\n`);
        return;
      }
      process.stdout.write(describePlan(plan.value));
      const { repeat } = loaded.value.experiment;
      if (repeat > 1) {
        const last = (plan.value.seed + repeat - 1) >>> 0;
        process.stdout.write(`\nRepetitions\n  ${repeat} runs, with seeds ${plan.value.seed} to ${last}\n`);
      }
      for (const [name, { description, set: settings }] of Object.entries(loaded.value.experiment.baselines)) {
        const leftOut = baselines.some((baseline) => baseline.name === name && !baseline.plan.ok);
        const note = leftOut ? " (left out: the simulation cannot carry it)" : "";
        process.stdout.write(`\nBaseline ${name}${description === undefined ? "" : `: ${description}`}${note}\n`);
        for (const [key, value] of Object.entries(settings))
          process.stdout.write(`  ${key} = ${JSON.stringify(value)}\n`);
      }
    });
}

function refuse(message: string): void {
  process.stderr.write(message);
  process.exitCode = 2;
}

/** Asking takes a namespace, and so root. */
async function abilitiesOfKernel(): Promise<MachineAbilities> {
  const { kernelAbilities, takesFlowHashSeed } = await import("../substrate/prerequisites/kernel-features.ts");
  if (process.getuid?.() !== 0) {
    process.stderr.write(
      "pathlab plan: without root the kernel cannot be asked for netem; links are planned for the emulator\n",
    );
    return { netem: false, seededFlowHash: takesFlowHashSeed() };
  }
  return kernelAbilities();
}

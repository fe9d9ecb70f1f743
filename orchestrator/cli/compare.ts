/** `pathlab compare`: the same experiment on several substrates, or two bundles, figure by figure. */
import { join, relative } from "node:path";
import { InvalidArgumentError } from "commander";
import type { Command } from "commander";
import { openBundle } from "../bundle/open-bundle.ts";
import type { Bundle } from "../bundle/open-bundle.ts";
import type { SubstrateComparison } from "../campaign/compare-substrates.ts";
import { formatDiagnostics } from "../model/diagnostics.ts";
import type { SubstrateName } from "../model/experiment.ts";
import { loadExperiment } from "../model/load.ts";
import type { LoadedExperiment } from "../model/load.ts";
import { planExperiment } from "../plan/make-plan.ts";
import { compareFigures } from "../verdict/comparison/compare-figures.ts";
import type { ComparedFigure, Tolerance } from "../verdict/comparison/compare-figures.ts";
import type { Estimate } from "../verdict/comparison/confidence-interval.ts";
import { figuresOf } from "../verdict/comparison/run-figures.ts";
import type { ComparedMetric } from "../verdict/comparison/run-figures.ts";
import { printPercent, printRate, printShare, printTime } from "../verdict/quantity.ts";
import { exitByBundleError } from "./bundle.ts";
import { Interrupt, reportFailure } from "./interrupt.ts";
import { collectSetting, parseRepeat, parseSeed } from "./options.ts";
import { needsOf } from "./run.ts";

interface CompareOptions {
  readonly substrates?: true;
  readonly with: readonly SubstrateName[];
  readonly set: readonly string[];
  readonly seed?: number;
  readonly repeat: number;
  readonly out: string;
  readonly json?: true;
}

export function registerCompareCommand(program: Command): void {
  program
    .command("compare")
    .summary("hold substrates, or bundles, against each other")
    .description(
      "With --substrates: runs an experiment on the simulation and on namespaces and tells whether their figures agree. Without: compares the bundles that are named with the first of them. Exit code 1 when a figure is out of tolerance.",
    )
    .argument("<file...>", "an experiment file with --substrates, else two or more bundles")
    .option("--substrates", "run an experiment on the simulation and on namespaces")
    .option("--with <substrate>", "a further substrate: containers", collectSubstrate, [])
    .option("--set <key=value>", "set a key of the experiment file; may be given again", collectSetting, [])
    .option("--seed <number>", "seed of everything random", parseSeed)
    .option("--repeat <times>", "run so many times on each, each with the next seed", parseRepeat, 1)
    .option("--out <directory>", "where the bundles go", "results")
    .option("--json", "one JSON document on stdout")
    .action(async (files: string[], options: CompareOptions, command: Command) => {
      if (options.substrates) {
        if (files.length > 1) command.error("error: --substrates takes one experiment file");
        await compareOnSubstrates(files[0]!, options);
      } else {
        if (files.length < 2) command.error("error: name two bundles, or give --substrates with an experiment file");
        await exitByBundleError(() => compareBundles(files, options.json === true));
      }
    });
}

function collectSubstrate(name: string, before: readonly SubstrateName[]): SubstrateName[] {
  if (name !== "containers")
    throw new InvalidArgumentError("Simulation and namespaces are always there; containers can be added.");
  return before.length === 0 ? ["containers"] : [...before];
}

async function compareBundles(directories: readonly string[], json: boolean): Promise<void> {
  const columns = await Promise.all(
    directories.map(async (name) => ({ name, runs: await Promise.all((await runsOf(name)).map(figuresOf)) })),
  );
  const figures = compareFigures(columns);
  if (figures.some(({ agrees }) => agrees === false)) process.exitCode = 1;
  process.stdout.write(
    json
      ? `${JSON.stringify({ version: 1, agrees: process.exitCode !== 1, figures }, null, 2)}\n`
      : describeFigures(directories, figures),
  );
}

/** The bundle itself, or of one of repetitions those of the runs. */
async function runsOf(directory: string): Promise<Bundle[]> {
  const bundle = await openBundle(directory);
  const { repetitions } = bundle.manifest;
  if (repetitions === undefined) return [bundle];
  return Promise.all(repetitions.map(({ bundle: name }) => openBundle(join(bundle.directory, "..", name))));
}

async function compareOnSubstrates(file: string, options: CompareOptions): Promise<void> {
  const checked = loadExperiment(file, { settings: options.set });
  const substrates: readonly SubstrateName[] = ["simulation", "namespaces", ...options.with];
  const seed = options.seed ?? (checked.ok ? checked.value.experiment.seed : 0);
  const abilities = { netem: false, memoryBytes: process.availableMemory() };
  const diagnostics = checked.ok
    ? substrates.flatMap((substrate) => {
        const planned = planExperiment(checked.value, { substrate, seed, lab: "0000", abilities });
        return planned.ok ? [] : planned.diagnostics;
      })
    : checked.diagnostics;
  if (!checked.ok || diagnostics.length > 0) {
    process.stderr.write(formatDiagnostics(diagnostics));
    process.exitCode = 2;
    return;
  }
  const seeds = Array.from({ length: options.repeat }, (_, repetition) => (seed + repetition) >>> 0);
  await perform(file, checked.value, substrates, seeds, options);
}

async function perform(
  file: string,
  loaded: LoadedExperiment,
  substrates: readonly SubstrateName[],
  seeds: readonly number[],
  options: CompareOptions,
): Promise<void> {
  const alone = { ...loaded, baselines: [] };
  const { ensure } = await import("../substrate/prerequisites/ensure.ts");
  if (!(await ensure(...needsOf(substrates.map((substrate) => ({ loaded: alone, substrate, seed: seeds[0]! }))))))
    return;
  const [{ compareSubstrates }, { runExperiment }, { kernelAbilities }, { substrateNamed }] = await Promise.all([
    import("../campaign/compare-substrates.ts"),
    import("../campaign/run-experiment.ts"),
    import("../substrate/prerequisites/kernel-features.ts"),
    import("../substrate/substrates.ts"),
  ]);
  const abilities = await kernelAbilities();
  const interrupt = new Interrupt();
  try {
    const comparison = await compareSubstrates({
      loaded,
      substrates,
      seeds,
      run: async (part, substrate, seed) => {
        process.stderr.write(`${part.experiment.name} (${substrate}, seed ${seed})\n`);
        return runExperiment({
          loaded: part,
          substrate: substrate === "simulation" ? substrate : await substrateNamed(substrate),
          seed,
          abilities: substrate === "simulation" ? { netem: false } : abilities,
          resultsDirectory: options.out,
          command: commandOf(file, substrate, seed, options),
          progress: (message) => void process.stderr.write(`  ${message}\n`),
          signal: interrupt.signal,
        });
      },
    });
    if (!comparison.agrees) process.exitCode = 1;
    process.stdout.write(
      options.json
        ? `${JSON.stringify({ version: 1, experiment: loaded.experiment.name, substrates, ...comparison }, null, 2)}\n`
        : describeComparison(substrates, comparison),
    );
  } catch (error) {
    reportFailure(error as Error);
  }
  process.exitCode = interrupt.exitCode ?? process.exitCode;
  interrupt.release();
}

/** What makes one of the runs again. */
function commandOf(file: string, substrate: SubstrateName, seed: number, { set, out }: CompareOptions): string[] {
  const settings = set.flatMap((setting) => ["--set", setting]);
  return ["run", file, "--on", substrate, "--seed", String(seed), ...settings, "--out", out];
}

function describeComparison(substrates: readonly SubstrateName[], { runs, figures }: SubstrateComparison): string {
  const invalid = runs.flatMap(({ substrate, seed, invalidBecause }) =>
    invalidBecause.map((why) => `invalid: ${substrate}, seed ${seed}: ${why}`),
  );
  const bundles = runs.map(
    ({ substrate, seed, directory }) =>
      `bundle: ${substrate}, seed ${seed}: ${relative(process.cwd(), directory) || "."}`,
  );
  return describeFigures(substrates, figures) + [...invalid, ...bundles].map((line) => `${line}\n`).join("");
}

function describeFigures(columns: readonly string[], figures: readonly ComparedFigure[]): string {
  const rows = [
    ["", ...columns, "tolerance", ""],
    ...figures.map(({ of, metric, tolerance, estimates, agrees }) => [
      `${of}: ${metric}`,
      ...columns.map((column) => describeEstimate(metric, estimates[column])),
      tolerance === undefined ? "" : describeTolerance(tolerance),
      agrees === undefined ? "" : agrees ? "agree" : "DIFFER",
    ]),
  ];
  const widths = rows[0]!.map((_, index) => Math.max(...rows.map((row) => row[index]!.length)));
  return rows
    .map(
      (row) =>
        `${row
          .map((cell, index) => cell.padEnd(widths[index]!))
          .join("  ")
          .trimEnd()}\n`,
    )
    .join("");
}

function describeEstimate(metric: ComparedMetric, estimate: Estimate | undefined): string {
  if (estimate === undefined) return "none";
  const { mean, halfWidth } = estimate;
  if (!Number.isFinite(mean)) return "never";
  const print = printerOf(metric);
  return halfWidth === undefined ? print(mean) : `${print(mean)} ± ${print(halfWidth)}`;
}

function printerOf(metric: ComparedMetric): (value: number) => string {
  if (metric === "goodput") return printRate;
  if (metric === "fairness") return printShare;
  return metric.startsWith("share of ") ? printPercent : printTime;
}

const describeTolerance = (tolerance: Tolerance): string =>
  `±${"share" in tolerance ? printPercent(tolerance.share) : printTime(tolerance.microseconds)}`;

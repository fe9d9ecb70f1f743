/** `pathlab run`: experiments on a substrate, each into a result bundle. */
import { availableParallelism } from "node:os";
import { basename } from "node:path";
import { Option } from "commander";
import type { Command } from "commander";
import type { Repetitions, RepetitionsOutcome } from "../campaign/conclude-repetitions.ts";
import type { ExperimentOutcome } from "../campaign/run-experiment.ts";
import { formatDiagnostics, inFileOrder } from "../model/diagnostics.ts";
import type { Diagnostic } from "../model/diagnostics.ts";
import { isApplication, isOfOurStack, substrateNames } from "../model/experiment.ts";
import type { SubstrateName } from "../model/experiment.ts";
import { loadExperiment } from "../model/load.ts";
import type { LoadedExperiment } from "../model/load.ts";
import { planExperiment } from "../plan/make-plan.ts";
import { estimateMemory } from "../plan/memory-estimate.ts";
import type { Need } from "../substrate/prerequisites/prerequisite.ts";
import { describeOutcome } from "./describe-outcome.ts";
import { Interrupt, reportFailure } from "./interrupt.ts";
import { collectSetting, parseJobs, parseRepeat, parseSeed } from "./options.ts";

interface RunOptions {
  readonly on?: SubstrateName;
  readonly set: readonly string[];
  readonly seed?: number;
  readonly repeat?: number;
  readonly jobs?: number;
  readonly out: string;
  readonly json?: true;
}

export interface PlannedRun {
  readonly file: string;
  readonly loaded: LoadedExperiment;
  readonly substrate: SubstrateName;
  readonly seed: number;
  /** How many of the runs are of this experiment. */
  readonly repetitions: number;
  /** What a simulation of it takes. */
  readonly memoryBytes: number;
}

export function registerRunCommand(program: Command): void {
  program
    .command("run")
    .summary("run experiments and judge them")
    .description(
      "Runs experiments on a substrate. Each leaves a result bundle: capture, metrics, timeline, verdict and a page to look at. Exit code 1 when an expectation fails.",
    )
    .argument("<experiment...>", "experiment files")
    .addOption(new Option("--on <substrate>", "what to run on").choices(substrateNames))
    .option("--set <key=value>", "set a key of the experiment file; may be given again", collectSetting, [])
    .option("--seed <number>", "seed of everything random", parseSeed)
    .option(
      "--repeat <times>",
      "run each experiment so many times, each with the next seed (default: as the experiment says)",
      parseRepeat,
    )
    .option("--jobs <number>", "run so many simulations at the same time (default: one a processor)", parseJobs)
    .option("--out <directory>", "where the bundles go", "results")
    .option("--json", "one JSON document on stdout")
    .action(async (files: string[], options: RunOptions) => {
      const runs = planRuns(files, options);
      if (runs === undefined) return;
      await perform(runs, options);
    });
}

/** All files are checked before anything is created; diagnostics go to stderr, with exit code 2. */
function planRuns(files: readonly string[], options: RunOptions): PlannedRun[] | undefined {
  const runs: PlannedRun[] = [];
  const memoryBytes = process.availableMemory();
  const diagnostics: Diagnostic[] = [];
  for (const file of files) {
    const loaded = loadExperiment(file, { settings: options.set });
    if (!loaded.ok) {
      diagnostics.push(...loaded.diagnostics);
      continue;
    }
    const substrate = options.on ?? loaded.value.experiment.on;
    const seed = options.seed ?? loaded.value.experiment.seed;
    let estimate = 0;
    const repetitions = options.repeat ?? loaded.value.experiment.repeat;
    const seeds = Array.from({ length: repetitions }, (_, repetition) => (seed + repetition) >>> 0);
    // Between which hosts traffic is, each seed draws anew; all else of a plan that may be refused is the same with every seed.
    const tried = Object.keys(loaded.value.experiment.traffic).length > 0 ? seeds : [seed];
    // The simulation leaves out baselines that it cannot carry, and says so.
    for (const part of [loaded.value, ...(substrate === "simulation" ? [] : loaded.value.baselines)]) {
      for (const each of tried) {
        const planned = planExperiment(part, {
          substrate,
          seed: each,
          lab: "0000",
          abilities: { netem: false, memoryBytes },
        });
        if (!planned.ok) diagnostics.push(...planned.diagnostics);
        else if (substrate === "simulation") estimate = Math.max(estimate, estimateMemory(planned.value).bytes);
      }
    }
    for (const each of seeds)
      runs.push({ file, loaded: loaded.value, substrate, seed: each, repetitions, memoryBytes: estimate });
  }
  if (diagnostics.length > 0) {
    process.stderr.write(formatDiagnostics(inFileOrder(diagnostics)));
    process.exitCode = 2;
    return undefined;
  }
  return runs;
}

async function perform(runs: readonly PlannedRun[], options: RunOptions): Promise<void> {
  const { ensure } = await import("../substrate/prerequisites/ensure.ts");
  if (!(await ensure(...needsOf(runs)))) return;
  const interrupt = new Interrupt();
  const outcomes: ExperimentOutcome[] = [];
  const together: RepetitionsOutcome[] = [];
  const repetitions = new Map<LoadedExperiment, { readonly seed: number; readonly outcome: ExperimentOutcome }[]>();
  const workers = await parallelWorkers(runs, options.jobs);
  const performed =
    workers > 1 ? runInParallel(runs, options, workers, interrupt) : runInTurn(runs, options, interrupt);
  try {
    for await (const { run, outcome } of performed) {
      outcomes.push(outcome);
      if (!options.json) process.stdout.write(describeOutcome(nameOf(run, runs.length > 1), outcome));
      if (outcome.error !== undefined && !interrupt.signal.aborted) throw outcome.error;
      const own = repetitions.get(run.loaded) ?? [];
      repetitions.set(run.loaded, own);
      own.push({ seed: run.seed, outcome });
      if (run.repetitions < 2 || own.length < run.repetitions || interrupt.signal.aborted) continue;
      const concluded = await conclude(run, own, options);
      together.push(concluded);
      if (!options.json) process.stdout.write(describeOutcome(nameOfAll(run), concluded));
    }
  } catch (error) {
    reportFailure(error as Error);
  }
  if (options.json)
    process.stdout.write(
      `${JSON.stringify(
        {
          version: 1,
          runs: outcomes.map(({ directory, verdict }) => ({ directory, verdict })),
          ...(together.length > 0 && { repetitions: together }),
        },
        null,
        2,
      )}\n`,
    );
  const passed = [...outcomes, ...together].every(({ verdict }) => verdict.outcome === "passed");
  process.exitCode ??= interrupt.exitCode ?? (passed ? 0 : 1);
  interrupt.release();
}

async function conclude(
  { loaded, substrate }: PlannedRun,
  runs: Repetitions["runs"],
  { out }: RunOptions,
): Promise<RepetitionsOutcome> {
  const { concludeRepetitions } = await import("../campaign/conclude-repetitions.ts");
  return concludeRepetitions({ loaded, substrate, runs, resultsDirectory: out, command: process.argv.slice(2) });
}

interface PerformedRun {
  readonly run: PlannedRun;
  readonly outcome: ExperimentOutcome;
}

/** 1 where anything but a simulation is among them: labs run one after the other, they would disturb each other. */
async function parallelWorkers(runs: readonly PlannedRun[], wanted = availableParallelism()): Promise<number> {
  if (runs.length < 2 || runs.some(({ substrate }) => substrate !== "simulation")) return 1;
  const { workersFor } = await import("../campaign/parallel/parallel-simulations.ts");
  const most = Math.max(...runs.map(({ memoryBytes }) => memoryBytes));
  return workersFor(runs.length, wanted, most, process.availableMemory());
}

async function* runInParallel(
  runs: readonly PlannedRun[],
  options: RunOptions,
  workers: number,
  { signal }: Interrupt,
): AsyncGenerator<PerformedRun, void, undefined> {
  const { runSimulations } = await import("../campaign/parallel/parallel-simulations.ts");
  const jobs = runs.map(({ file, seed }) => ({
    file,
    settings: options.set,
    seed,
    resultsDirectory: options.out,
    command: process.argv.slice(2),
  }));
  process.stderr.write(`${runs.length} simulations, ${workers} at a time\n`);
  const startedAt = performance.now();
  const progress = ({ file, seed }: { file: string; seed: number }, message: string): void => {
    const seconds = ((performance.now() - startedAt) / 1000).toFixed(1);
    process.stderr.write(`${seconds.padStart(6)} s  ${basename(file)}, seed ${seed}: ${message}\n`);
  };
  let next = 0;
  for await (const outcome of runSimulations(jobs, { workers, signal, progress }))
    yield { run: runs[next++]!, outcome };
}

async function* runInTurn(
  runs: readonly PlannedRun[],
  options: RunOptions,
  interrupt: Interrupt,
): AsyncGenerator<PerformedRun, void, undefined> {
  const [{ runExperiment }, { kernelAbilities }, { substrateNamed }] = await Promise.all([
    import("../campaign/run-experiment.ts"),
    import("../substrate/prerequisites/kernel-features.ts"),
    import("../substrate/substrates.ts"),
  ]);
  const onKernel = runs.some(({ substrate }) => substrate !== "simulation");
  const abilities = onKernel ? await kernelAbilities() : { netem: false };
  for (const run of runs) {
    if (interrupt.signal.aborted) return;
    const { loaded, substrate, seed } = run;
    const name = nameOf(run, runs.length > 1);
    const startedAt = performance.now();
    const progress = (message: string): void => {
      const seconds = ((performance.now() - startedAt) / 1000).toFixed(1);
      process.stderr.write(`${seconds.padStart(6)} s  ${message}\n`);
    };
    process.stderr.write(`${name}\n`);
    const outcome = await runExperiment({
      loaded,
      substrate: substrate === "simulation" ? substrate : await substrateNamed(substrate),
      seed,
      abilities: substrate === "simulation" ? { netem: false } : abilities,
      resultsDirectory: options.out,
      command: process.argv.slice(2),
      progress,
      signal: interrupt.signal,
    });
    yield { run, outcome };
  }
}

function nameOf({ loaded, substrate, seed }: PlannedRun, withSeed: boolean): string {
  return `${loaded.experiment.name} (${substrate}${withSeed ? `, seed ${seed}` : ""})`;
}

const nameOfAll = ({ loaded, substrate, repetitions }: PlannedRun): string =>
  `${loaded.experiment.name} (${substrate}, all ${repetitions} runs)`;

/** What the machine must have for them. */
export function needsOf(runs: readonly Pick<PlannedRun, "loaded" | "substrate">[]): Need[] {
  const onMachine = runs.filter(({ substrate }) => substrate !== "simulation");
  const needs = new Set<Need>(onMachine.map(({ substrate }) => substrate as Exclude<SubstrateName, "simulation">));
  const hosts = onMachine.flatMap(({ loaded }) =>
    [loaded, ...loaded.baselines].flatMap(({ experiment }) => Object.values(experiment.hosts)),
  );
  if (hosts.some(({ endpoint }) => endpoint === "linux-mptcp")) needs.add("linux-mptcp");
  if (hosts.some(({ endpoint, congestionControl }) => !isOfOurStack(endpoint) && congestionControl === "cubic"))
    needs.add("cubic");
  const experiments = onMachine.flatMap(({ loaded }) =>
    [loaded, ...loaded.baselines].map(({ experiment }) => experiment),
  );
  for (const { workload, hosts: settings } of experiments) {
    for (const { client, serve, run } of Object.values(workload).filter(isApplication)) {
      for (const { command } of [serve, run]) needs.add(`program:${command[0]}`);
      if (Object.values(serve.files).some(({ kind }) => kind === "hls")) needs.add("program:ffmpeg");
      if (isOfOurStack(settings[client]?.endpoint ?? "pathlab")) needs.add("gateway");
    }
  }
  return [...needs];
}

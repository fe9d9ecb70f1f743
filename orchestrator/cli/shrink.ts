/** `pathlab shrink`: a failing run as a small experiment that still fails. */
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join, relative } from "node:path";
import type { Command } from "commander";
import { parse } from "yaml";
import { printCase, type Case, type Mapping } from "../campaign/shrink/case.ts";
import type { Shrunk } from "../campaign/shrink/shrink.ts";
import { formatDiagnostics } from "../model/diagnostics.ts";
import { loadExperiment } from "../model/load.ts";
import type { LoadedExperiment } from "../model/load.ts";
import { planExperiment } from "../plan/make-plan.ts";
import { Interrupt, reportFailure } from "./interrupt.ts";
import { collectSetting, parseSeed } from "./options.ts";

interface ShrinkOptions {
  readonly set: readonly string[];
  readonly seed?: number;
  readonly expectation?: string;
  readonly out?: string;
  readonly json?: true;
}

export function registerShrinkCommand(program: Command): void {
  program
    .command("shrink")
    .summary("make a failing run small")
    .description(
      "Runs an experiment that fails on the simulation again and again with less of it: faults, hosts, links, single losses, settings, bytes. Writes the smallest that still fails the same expectation as an experiment of its own. What passes without its faults and losses still does.",
    )
    .argument("<experiment>", "an experiment file")
    .option("--seed <number>", "the seed with which it fails", parseSeed)
    .option("--set <key=value>", "set a key of the experiment file; may be given again", collectSetting, [])
    .option("--expectation <workload.metric>", "which failure to keep; the first when left out")
    .option("--out <directory>", "where the small experiment goes; default: results/shrunk/NAME-SEED")
    .option("--json", "one JSON document on stdout")
    .action(perform);
}

async function perform(file: string, options: ShrinkOptions): Promise<void> {
  const checked = loadExperiment(file, { settings: options.set });
  const seed = options.seed ?? (checked.ok ? checked.value.experiment.seed : 0);
  const abilities = { netem: false, memoryBytes: process.availableMemory() };
  const planned = checked.ok
    ? planExperiment(checked.value, { substrate: "simulation", seed, lab: "0000", abilities })
    : checked;
  if (!checked.ok || !planned.ok) {
    process.stderr.write(formatDiagnostics(planned.ok ? [] : planned.diagnostics));
    process.exitCode = 2;
    return;
  }
  const { name } = checked.value.experiment;
  const target = options.out ?? join("results", "shrunk", `${name}-${seed}`);
  if (existsSync(target)) {
    process.stderr.write(`pathlab: ${target} is there already: name another with --out, or remove it\n`);
    process.exitCode = 2;
    return;
  }
  await shrinkInto(target, checked.value, seed, options);
}

async function shrinkInto(
  target: string,
  loaded: LoadedExperiment,
  seed: number,
  options: ShrinkOptions,
): Promise<void> {
  const [{ shrink, NothingToShrink }, { caseRunner }] = await Promise.all([
    import("../campaign/shrink/shrink.ts"),
    import("../campaign/shrink/run-case.ts"),
  ]);
  const interrupt = new Interrupt();
  const directory = mkdtempSync(join(tmpdir(), "pathlab-shrink-"));
  const beside = [...loaded.topology.files, ...loaded.modules];
  try {
    const shrunk = await shrink({
      given: caseOf(loaded, seed),
      ...(options.expectation !== undefined && { expectation: options.expectation }),
      run: caseRunner(directory, beside, interrupt.signal),
      progress: (message) => void process.stderr.write(`  ${message}\n`),
    });
    const written = write(target, loaded, seed, shrunk);
    process.stdout.write(
      options.json
        ? `${JSON.stringify({ version: 1, ...written, ...shrunk }, null, 2)}\n`
        : describe(written.file, shrunk),
    );
  } catch (error) {
    if (error instanceof NothingToShrink) {
      process.stderr.write(`pathlab: nothing to shrink: ${error.message}\n`);
      process.exitCode = 2;
    } else {
      reportFailure(error as Error);
    }
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
  process.exitCode = interrupt.exitCode ?? process.exitCode;
  interrupt.release();
}

function caseOf(loaded: LoadedExperiment, seed: number): Case {
  return {
    experiment: parse(loaded.textWith({ topology: "topology.yaml", seed, on: "simulation" })) as Mapping,
    topology: parse(loaded.topology.text) as Mapping,
  };
}

function write(
  target: string,
  { file, experiment: { name }, topology, modules }: LoadedExperiment,
  seed: number,
  { case: small, failure, expected, measured, passesWithoutTrouble }: Shrunk,
): { readonly file: string } {
  const [experimentFile, topologyFile] = [`${name}-shrunk.yaml`, `${name}-shrunk.topology.yaml`];
  const result = expected === undefined ? "" : ` (${measured}, expected ${expected})`;
  const text = printCase(
    { ...small, experiment: { ...small.experiment, name: `${name}-shrunk`, on: "simulation" } },
    topologyFile,
    [
      `What is left of ${file} with seed ${seed}, failing on the simulation: ${failure}${result}.`,
      passesWithoutTrouble
        ? "Without its faults and losses it passes."
        : "It fails without its faults and losses, too.",
    ],
  );
  mkdirSync(target, { recursive: true });
  writeFileSync(join(target, experimentFile), text.experiment);
  writeFileSync(join(target, topologyFile), text.topology);
  for (const beside of [...topology.files, ...modules]) {
    if (!text.topology.includes(beside.name) && !text.experiment.includes(beside.name)) continue;
    mkdirSync(dirname(join(target, beside.name)), { recursive: true });
    writeFileSync(join(target, beside.name), beside.text);
  }
  return { file: relative(process.cwd(), join(target, experimentFile)) };
}

function describe(file: string, { failure, expected, measured, passesWithoutTrouble, runs }: Shrunk): string {
  return [
    `${failure}${expected === undefined ? "" : `: ${measured}, expected ${expected}`}`,
    ...(passesWithoutTrouble ? ["  passes without its faults and losses"] : []),
    `  ${runs} runs`,
    `  run it: ./pathlab run ${file}`,
    "",
  ].join("\n");
}

/** `pathlab up`: the nodes and links of an experiment, to look at and to try things in. A process of its own keeps them until `pathlab down`. */
import { type ChildProcess, spawn } from "node:child_process";
import { appendFileSync } from "node:fs";
import { join } from "node:path";
import { type Command, Option } from "commander";
import { Journal } from "../journal/journal.ts";
import { stateDirectory } from "../journal/state-directory.ts";
import { formatDiagnostics } from "../model/diagnostics.ts";
import { type SubstrateName, substrateNames } from "../model/experiment.ts";
import { type LoadedExperiment, loadExperiment } from "../model/load.ts";
import { planExperiment } from "../plan/make-plan.ts";
import { collectSetting, parseSeed } from "./options.ts";

interface UpOptions {
  readonly on?: SubstrateName;
  readonly set: readonly string[];
  readonly seed?: number;
  readonly foreground?: true;
  readonly json?: true;
}

interface LabRequest {
  readonly loaded: LoadedExperiment;
  readonly substrate: "namespaces" | "containers";
  readonly seed: number;
}

interface LabDescription {
  readonly lab: string;
  readonly experiment: string;
  readonly substrate: string;
  readonly nodes: readonly string[];
}

/** What the keeper tells the command that started it. */
type KeeperMessage =
  | { readonly type: "progress"; readonly message: string }
  | { readonly type: "up"; readonly lab: LabDescription }
  | { readonly type: "failed"; readonly message: string };

export function registerUpCommand(program: Command): void {
  program
    .command("up")
    .summary("make an experiment's nodes and links, and keep them")
    .description("Makes the nodes and links of an experiment without running it, and keeps them until `pathlab down`.")
    .argument("<experiment>", "experiment file")
    .addOption(
      new Option("--on <substrate>", "what to make them of").choices(
        substrateNames.filter((name) => name !== "simulation"),
      ),
    )
    .option("--set <key=value>", "set a key of the experiment file; may be given again", collectSetting, [])
    .option("--seed <number>", "seed of everything random", parseSeed)
    .option("--foreground", "keep them by this very process; Ctrl-C takes them down")
    .option("--json", "one JSON document on stdout")
    .action(async (file: string, options: UpOptions) => {
      const request = requestOf(file, options);
      if (request === undefined) return;
      const { ensure } = await import("../substrate/prerequisites/ensure.ts");
      if (!(await ensure(request.substrate))) return;
      if (options.foreground) await keep(request, options);
      else await startKeeper(options);
    });
}

function requestOf(file: string, options: UpOptions): LabRequest | undefined {
  const loaded = loadExperiment(file, { settings: options.set });
  if (!loaded.ok) return refuse(formatDiagnostics(loaded.diagnostics));
  const substrate = options.on ?? loaded.value.experiment.on;
  if (substrate === "simulation")
    return refuse("pathlab: a simulation has nothing that could be kept: choose --on namespaces or --on containers\n");
  const seed = options.seed ?? loaded.value.experiment.seed;
  const planned = planExperiment(loaded.value, { substrate, seed, lab: "0000", abilities: { netem: false } });
  if (!planned.ok) return refuse(formatDiagnostics(planned.diagnostics));
  return { loaded: loaded.value, substrate, seed };
}

function refuse(message: string): undefined {
  process.stderr.write(message);
  process.exitCode = 2;
  return undefined;
}

/** Makes the lab and holds it until a signal comes. */
async function keep({ loaded, substrate: name, seed }: LabRequest, options: UpOptions): Promise<void> {
  const stop = new AbortController();
  const signalled = new Promise<number>((resolve) => {
    for (const [signal, code] of [
      ["SIGINT", 130],
      ["SIGTERM", 143],
    ] as const) {
      process.on(signal, () => {
        stop.abort(new Error(`stopped by ${signal}`));
        resolve(code);
      });
    }
  });
  const [{ substrateNamed }, { kernelAbilities }] = await Promise.all([
    import("../substrate/substrates.ts"),
    import("../substrate/prerequisites/kernel-features.ts"),
  ]);
  const abilities = await kernelAbilities();
  const journal = Journal.create({ title: `${loaded.experiment.name}, kept by pathlab up` });
  try {
    const planned = planExperiment(loaded, { substrate: name, seed, lab: journal.lab, abilities });
    if (!planned.ok) throw new Error(formatDiagnostics(planned.diagnostics));
    const log = join(stateDirectory(), `pl-${journal.lab}-problems.log`);
    journal.append({ kind: "file", path: log });
    const lab = await (
      await substrateNamed(name)
    ).up(
      planned.value,
      journal,
      {
        progress: (message) => tell({ type: "progress", message }, options),
        problem: (source, message) => appendFileSync(log, `${new Date().toISOString()} ${source}: ${message}\n`),
        linkSample: () => undefined,
      },
      stop.signal,
    );
    const nodes = planned.value.nodes.map((node) => node.name);
    tell(
      { type: "up", lab: { lab: journal.lab, experiment: loaded.experiment.name, substrate: name, nodes } },
      options,
    );
    // Waiting for a signal alone does not keep a process.
    const presence = setInterval(() => undefined, 2 ** 30);
    process.exitCode = await signalled;
    clearInterval(presence);
    await lab.down();
  } catch (error) {
    tell({ type: "failed", message: (error as Error).message }, options);
    process.exitCode = stop.signal.aborted ? await signalled : 3;
  } finally {
    const { takeBack } = await import("../journal/take-back.ts");
    await takeBack(journal);
    journal.remove();
    if (process.connected) process.disconnect();
  }
}

function tell(message: KeeperMessage, options: UpOptions): void {
  if (process.connected) process.send?.(message);
  else if (process.send === undefined) show(message, options);
}

/** The same command again, in a session of its own, so that neither this terminal's end nor its Ctrl-C ends the lab. */
async function startKeeper(options: UpOptions): Promise<void> {
  const [program = "", ...args] = process.argv.slice(1);
  const keeper = spawn(process.execPath, [program, ...args, "--foreground"], {
    detached: true,
    stdio: ["ignore", "ignore", "ignore", "ipc"],
  });
  const onSignal = (): void => void keeper.kill("SIGTERM");
  process.on("SIGINT", onSignal);
  process.on("SIGTERM", onSignal);
  await untilSettled(keeper, options);
  process.off("SIGINT", onSignal);
  process.off("SIGTERM", onSignal);
}

function untilSettled(keeper: ChildProcess, options: UpOptions): Promise<void> {
  return new Promise((resolve) => {
    keeper.on("message", (message: KeeperMessage) => {
      show(message, options);
      if (message.type !== "up") return;
      keeper.disconnect();
      keeper.unref();
      resolve();
    });
    keeper.once("exit", (code) => {
      process.exitCode = code ?? 4;
      resolve();
    });
  });
}

function show(message: KeeperMessage, options: UpOptions): void {
  if (message.type === "progress") process.stderr.write(`${message.message}\n`);
  else if (message.type === "failed") process.stderr.write(`pathlab: ${message.message}\n`);
  else
    process.stdout.write(
      options.json ? `${JSON.stringify({ version: 1, ...message.lab }, undefined, 2)}\n` : describe(message.lab),
    );
}

function describe({ lab, experiment, substrate, nodes }: LabDescription): string {
  return [
    `lab ${lab} is up: ${experiment} on ${substrate}, nodes ${nodes.join(", ")}`,
    `  pathlab shell ${lab} ${nodes[0]}`,
    `  pathlab down ${lab}`,
    "",
  ].join("\n");
}

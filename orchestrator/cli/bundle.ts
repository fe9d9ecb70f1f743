/** `pathlab bundle`: what is in a result bundle, and whether it is still what the run sealed. */
import type { Command } from "commander";
import { BundleError } from "../bundle/bundle-error.ts";
import { bundleFiles } from "../bundle/layout.ts";
import { openBundle } from "../bundle/open-bundle.ts";
import type { Bundle } from "../bundle/open-bundle.ts";
import { verifyBundle } from "../bundle/verify-bundle.ts";
import { printSize } from "../verdict/quantity.ts";
import { verdictSchema } from "../verdict/verdict-schema.ts";

export function registerBundleCommand(program: Command): void {
  const bundle = program.command("bundle").description("look into result bundles");
  bundle
    .command("verify")
    .summary("check every file of a bundle against its manifest")
    .description(
      "Checks sizes and hashes of all files, and that none is missing and none was added. Exit code 1 when something differs, 2 when there is no bundle.",
    )
    .argument("<directory>", "the bundle")
    .option("--json", "print the problems as JSON")
    .action((directory: string, { json }: { json?: true }) =>
      exitByBundleError(() => verify(directory, json === true)),
    );
  bundle
    .command("show")
    .summary("what ran, how it came out")
    .argument("<directory>", "the bundle")
    .option("--json", "print manifest and verdict as JSON")
    .action((directory: string, { json }: { json?: true }) => exitByBundleError(() => show(directory, json === true)));
}

/** What is no bundle, or no longer one that can be read, is the caller's mistake: exit code 2. A disk that cannot be written is the machine's: 3. */
export async function exitByBundleError(action: () => Promise<void>): Promise<void> {
  try {
    await action();
  } catch (error) {
    if (!(error instanceof BundleError)) throw error;
    process.stderr.write(`pathlab: ${error.message}\n`);
    process.exitCode = error.code === "disk-full" || error.code === "unwritable" ? 3 : 2;
  }
}

async function verify(directory: string, json: boolean): Promise<void> {
  const verification = await verifyBundle(directory);
  const { files, bytes, problems } = verification;
  if (problems.length > 0) process.exitCode = 1;
  if (json) {
    process.stdout.write(`${JSON.stringify({ ...verification, ok: problems.length === 0 })}\n`);
    return;
  }
  for (const { file, problem, message } of problems) process.stdout.write(`${file}: ${problem}: ${message}\n`);
  const total = `${files} files, ${printSize(bytes)}`;
  process.stdout.write(
    problems.length === 0
      ? `ok: ${total}, all as sealed\n`
      : `${problems.length} of ${total} differ from what was sealed\n`,
  );
}

async function show(directory: string, json: boolean): Promise<void> {
  const bundle = await openBundle(directory);
  const verdict = (await bundle.has(bundleFiles.verdict))
    ? await bundle.json(bundleFiles.verdict, verdictSchema)
    : undefined;
  if (json) {
    process.stdout.write(
      `${JSON.stringify({ manifest: bundle.manifest, ...(verdict === undefined ? {} : { verdict }) })}\n`,
    );
    return;
  }
  const lines = [...describe(bundle), ""];
  for (const why of verdict?.invalidBecause ?? []) lines.push(`invalid  ${why}`);
  for (const { baseline, workload, metric, expected, measured, passed, witness } of verdict?.expectations ?? []) {
    const where = baseline === undefined ? workload : `${baseline}/${workload}`;
    lines.push(
      `${passed ? "passed " : "FAILED "}  ${where} ${metric}: ${measured} (expected ${expected}; witness: ${witness})`,
    );
  }
  for (const { baseline, workload, metric, statistic, expected, measured } of verdict?.overRepetitions ?? []) {
    const where = baseline === undefined ? workload : `${baseline}/${workload}`;
    lines.push(`–        ${where} ${metric}: ${measured} (not judged alone: ${statistic} of all runs ${expected})`);
  }
  for (const finding of verdict?.findings ?? []) lines.push(`note     ${finding}`);
  process.stdout.write(`${lines.join("\n").trimEnd()}\n`);
}

function describe({ manifest }: Bundle): string[] {
  const { experiment, id, substrate, endpoints, run, outcome, machine, command } = manifest;
  return [
    `experiment ${experiment} (${id})`,
    `outcome    ${outcome}`,
    `run        ${run.startedAt} to ${run.endedAt}, ${run.ended}${run.error === undefined ? "" : `: ${run.error}`}`,
    `substrate  ${substrate}`,
    `endpoints  ${Object.entries(endpoints)
      .map(([host, kind]) => `${host} ${kind}`)
      .join(", ")}`,
    `machine    ${machine.hostname}, ${machine.kernel}, node ${machine.node}, pathlab ${machine.pathlab.version}`,
    `again      ./pathlab ${command.join(" ")}`,
  ];
}

/**
 * `npm run bench:stack -- [--quick] [--rounds N] [--only PATTERN] [--json]`: our stack beside the kernel's, in turns, in one run. Root. A table in
 * Markdown comes out, and whether the marks are met. `--gateway`: an unmodified iperf3 through two gateways, beside the kernel's, instead.
 * Exit codes: 0, 1 below a floor, 2 bad usage, 130 and 143 after cleaning up.
 */

import { Command } from "commander";
import { gatewayThroughput } from "./gateway/gateway-throughput.ts";
import { kernelSettings, Lab } from "./lab.ts";
import { describeMachine, load } from "./machine.ts";
import { reportMarks } from "./marks.ts";
import { type Findings, fullPace, measurements, quickPace } from "./measurements.ts";

const command = new Command("npm run bench:stack --")
  .description("Our stack beside the kernel's, in turns, in one run. Root.")
  .option("--quick", "a second for each throughput, and few rounds: for a look, not for a figure")
  .option(
    "--rounds <number>",
    `of which a figure is the median (default: ${fullPace.rounds}, with --quick ${quickPace.rounds})`,
  )
  .option(
    "--only <pattern>",
    "a regular expression: what it matches of titles and conditions, as in `throughput, 1 path, 64 KiB`",
    "",
  )
  .option("--gateway", "an unmodified iperf3 through two gateways, beside the kernel's Multipath TCP and TCP, instead")
  .option("--node-options <text>", "with --gateway: for the gateways' Node, as --cpu-prof", "")
  .option("--json", "every sample of every round")
  .exitOverride(({ exitCode }) => process.exit(exitCode === 0 ? 0 : 2));

function log(text: string): void {
  process.stderr.write(`${text}\n`);
}

async function main(): Promise<number> {
  const given = command.parse().opts<{
    quick?: true;
    rounds?: string;
    only: string;
    gateway?: true;
    nodeOptions: string;
    json?: true;
  }>();
  const preset = given.quick ? quickPace : fullPace;
  const rounds = given.rounds === undefined ? preset.rounds : Number(given.rounds);
  if (!Number.isInteger(rounds) || rounds < 1) command.error(`--rounds ${given.rounds}: not a number of rounds`);
  const pace = { ...preset, rounds };
  const machine = describeMachine();
  const loadBefore = load();
  const only = new RegExp(given.only);
  const findings: Findings[] = [];
  const tables: string[] = [];
  if (given.gateway) {
    const { seconds } = pace;
    tables.push(await gatewayThroughput({ rounds, seconds, only, nodeOptions: given.nodeOptions, log }));
  } else for (const measurement of measurements) findings.push(await measurement.run(pace, only, log));
  const loadAfter = load();
  const made = findings.filter(({ comparisons }) => comparisons.length > 0);
  const marks = made.flatMap((finding) => finding.marks);
  if (given.json) {
    const results = made.map(({ title, comparisons }) => ({ title, comparisons }));
    const document = { machine, loadBefore, loadAfter, pace, kernelSettings, results, marks };
    process.stdout.write(`${JSON.stringify(document)}\n`);
  } else {
    const { date, kernel, processors, memoryGigabytes, node } = machine;
    const paragraphs = [
      `${date} UTC; Linux ${kernel}; ${processors}, ${memoryGigabytes} GB; Node ${node}; Reno; ` +
        `load ${loadBefore.toFixed(2)} before, ${loadAfter.toFixed(2)} after; medians of ${pace.rounds} rounds.`,
      ...tables,
      ...made.map(({ table }) => table),
      reportMarks(marks),
    ];
    process.stdout.write(`${paragraphs.filter((text) => text !== "").join("\n\n")}\n`);
  }
  return marks.some(({ verdict }) => verdict === "below the floor") ? 1 : 0;
}

process.on("exit", () => Lab.closeAll());
process.on("SIGINT", () => process.exit(130));
process.on("SIGTERM", () => process.exit(143));
process.exitCode = await main();

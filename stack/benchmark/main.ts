/**
 * `npm run bench:stack -- [--quick] [--rounds N] [--only PATTERN] [--json]`: our stack beside the kernel's, in turns, in one run. Root. A table in
 * Markdown comes out, and whether the marks are met.
 * Exit codes: 0, 1 below a floor, 2 bad usage, 130 and 143 after cleaning up.
 */

import { parseArgs } from "node:util";
import { kernelSettings, Lab } from "./lab.ts";
import { describeMachine, load } from "./machine.ts";
import { reportMarks } from "./marks.ts";
import { type Findings, fullPace, measurements, quickPace } from "./measurements.ts";

async function main(): Promise<number> {
  const { values: given } = parseArgs({
    options: {
      /** A second for each throughput, and few rounds: for a look, not for a figure. */
      quick: { type: "boolean", default: false },
      /** Default 7, and 3 with --quick. */
      rounds: { type: "string" },
      /** Regular expression; what it matches is the title and the condition, as the table has them: `throughput, 1 path, 64 KiB`. */
      only: { type: "string", default: "" },
      json: { type: "boolean", default: false },
    },
  });
  const preset = given.quick ? quickPace : fullPace;
  const rounds = given.rounds === undefined ? preset.rounds : Number(given.rounds);
  if (!Number.isInteger(rounds) || rounds < 1) {
    process.stderr.write(`--rounds ${given.rounds}: not a number of rounds\n`);
    return 2;
  }
  const pace = { ...preset, rounds };
  const machine = describeMachine();
  const loadBefore = load();
  const findings: Findings[] = [];
  for (const measurement of measurements)
    findings.push(await measurement.run(pace, new RegExp(given.only), (text) => process.stderr.write(`${text}\n`)));
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

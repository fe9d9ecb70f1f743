/**
 * `npm run bench:stack -- [--quick] [--only PATTERN] [--json]`: our stack beside the kernel's, in turns, in one run. Root.
 * Exit code 1: below the floor.
 */
import { parseArgs } from "node:util";
import { conditions, describeCondition } from "./conditions.ts";
import { describeMachine, load } from "./machine.ts";
import { judge, reportMarks } from "./marks.ts";
import { Lab } from "./lab.ts";
import { compareThroughput, throughputTable } from "./throughput-comparison.ts";

const { values: given } = parseArgs({
  options: {
    quick: { type: "boolean", default: false },
    only: { type: "string", default: "" },
    json: { type: "boolean", default: false },
  },
});

const only = new RegExp(given.only);
const rounds = given.quick ? 3 : 7;
const log = (text: string): void => void process.stderr.write(`${text}\n`);

process.on("exit", () => Lab.closeAll());
process.on("SIGINT", () => process.exit(130));
process.on("SIGTERM", () => process.exit(143));

const machine = describeMachine();
const loadBefore = load();
const throughputs = [];
for (const condition of conditions) {
  if (!only.test(`throughput, ${describeCondition(condition)}`)) continue;
  const pace = given.quick ? { warmUpSeconds: 0.5, seconds: 1 } : { warmUpSeconds: 1, seconds: 3 };
  throughputs.push(await compareThroughput({ condition, rounds, log, ...pace }));
}
const loadAfter = load();
const marks = judge(throughputs);
if (given.json) process.stdout.write(`${JSON.stringify({ machine, loadBefore, loadAfter, throughputs, marks })}\n`);
else {
  const { date, kernel, processors, memoryGigabytes, node } = machine;
  process.stdout.write(
    `${date} UTC; Linux ${kernel}; ${processors}, ${memoryGigabytes} GB; Node ${node}; ` +
      `load ${loadBefore.toFixed(2)} before, ${loadAfter.toFixed(2)} after; ${rounds} rounds\n\n`,
  );
  if (throughputs.length > 0) process.stdout.write(`${throughputTable(throughputs)}\n\n`);
  if (marks.length > 0) process.stdout.write(`${reportMarks(marks)}\n`);
}
process.exitCode = marks.some(({ verdict }) => verdict === "below the floor") ? 1 : 0;

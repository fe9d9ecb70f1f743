/** How a run, or all repetitions of one, came out, as `pathlab run` prints it. */
import { relative } from "node:path";
import type { Verdict } from "../verdict/verdict.ts";

export function describeOutcome(
  name: string,
  { directory, verdict }: { readonly directory: string; readonly verdict: Verdict },
): string {
  const { overRepetitions = [] } = verdict;
  const rows = [
    ...verdict.expectations.map(({ passed, measured, expected, ...line }) => [
      passed ? "pass" : "FAIL",
      describeLine(line),
      measured,
      `expected ${expected}`,
    ]),
    ...overRepetitions.map(({ statistic, measured, expected, ...line }) => [
      "  – ",
      describeLine(line),
      measured,
      `not judged alone: the ${statistic} of all runs is expected ${expected}`,
    ]),
  ];
  const widths = [0, 1, 2].map((column) => Math.max(0, ...rows.map((row) => row[column]!.length)));
  const lines = rows.map(
    (row) =>
      `  ${row
        .map((cell, column) => cell.padEnd(widths[column] ?? 0))
        .join("  ")
        .trimEnd()}`,
  );
  return [
    `${name}: ${verdict.outcome}`,
    ...verdict.invalidBecause.map((why) => `  invalid because ${why}`),
    ...lines,
    ...verdict.findings.map((finding) => `  note: ${finding}`),
    `  bundle: ${relative(process.cwd(), directory) || "."}`,
    "",
  ].join("\n");
}

const describeLine = (line: {
  readonly baseline?: string;
  readonly workload: string;
  readonly metric: string;
}): string => `${line.baseline === undefined ? "" : `${line.baseline}: `}${line.workload}: ${line.metric}`;

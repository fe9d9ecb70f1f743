/** Files in Mahimahi's format: a line for each opportunity to deliver a full packet, the time in whole milliseconds; the file loops, and its last line is its length. */
import { readFileSync } from "node:fs";
import type { Checked, Diagnostic } from "./diagnostics.ts";
import { formatFound } from "./diagnostics.ts";

export interface TraceFile {
  readonly text: string;
  readonly opportunitiesMilliseconds: readonly number[];
  /** Mean over the whole file. */
  readonly rateBitsPerSecond: number;
}

/** Ethernet frame of an opportunity, as `path/delivery-trace.ts` has it. */
const opportunityBytes = 1514;

/** A day of 100 Mbit/s would not be read line by line any more. */
const mostLines = 2_000_000;

/** What is wrong is told at its line; of several bad lines the first. */
export function readTrace(file: string): Checked<TraceFile> {
  let text: string;
  try {
    text = readFileSync(file, "utf8");
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    return refuse(file, 1, `a file that cannot be read (${code})`, "a trace", "check the path and its permissions");
  }
  const lines = text.split("\n");
  if (lines.at(-1) === "") lines.pop();
  if (lines.length === 0) return refuse(file, 1, "an empty file", "a time in milliseconds on each line", "as in 12");
  if (lines.length > mostLines)
    return refuse(file, mostLines + 1, `${lines.length} lines`, `at most ${mostLines}`, "cut it, it loops");
  const opportunitiesMilliseconds: number[] = [];
  for (const [index, line] of lines.entries()) {
    const written = line.replace(/\r$/, "");
    const before = opportunitiesMilliseconds.at(-1) ?? 0;
    if (!/^\d{1,9}$/.test(written))
      return refuse(file, index + 1, formatFound(written), "a time in whole milliseconds", "one a line, as in 12");
    if (Number(written) < before)
      return refuse(file, index + 1, written, `a time not before the ${before} of the line above`, "sort the file");
    opportunitiesMilliseconds.push(Number(written));
  }
  const period = opportunitiesMilliseconds.at(-1)!;
  if (period === 0)
    return refuse(file, lines.length, "0", "a last time above 0", "the last line is the length of a round");
  const rateBitsPerSecond = Math.round((opportunitiesMilliseconds.length * opportunityBytes * 8000) / period);
  return { ok: true, value: { text, opportunitiesMilliseconds, rateBitsPerSecond } };
}

/** The text of such a file. */
export function formatTrace(opportunitiesMilliseconds: readonly number[]): string {
  return `${opportunitiesMilliseconds.join("\n")}\n`;
}

function refuse(file: string, line: number, found: string, expected: string, hint: string): Checked<never> {
  const diagnostic: Diagnostic = { file, line, column: 1, path: "trace", found, expected, hint };
  return { ok: false, diagnostics: [diagnostic] };
}

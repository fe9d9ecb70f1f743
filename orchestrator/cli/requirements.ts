import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Command } from "commander";
import { knownDifferences } from "../../stack/testing/scripts/known-differences.ts";
import { formatDiagnostics } from "../model/diagnostics.ts";
import type { Diagnostic } from "../model/diagnostics.ts";
import { repositoryRoot } from "./repository.ts";
import { coverageOf, coverageTable, uncoveredMusts } from "./requirements/coverage.ts";
import { requirementsPage } from "./requirements/document.ts";
import { type Checkout, checkEvidence } from "./requirements/evidence.ts";
import { type Ledger, parseLedger } from "./requirements/ledger.ts";

const folder = "stack/requirements";
export const requirementsDocument = "docs/requirements.md";

/** `pathlab requirements`: exit code 1 when nothing covers a MUST, 2 when a ledger is wrong about the code. */
export function registerRequirementsCommand(program: Command): void {
  program
    .command("requirements")
    .summary("tell how much of the RFCs the stack meets")
    .description(
      "Checks the ledgers in stack/requirements against the code and the tests that they cite, and prints how much of each RFC is met.",
    )
    .option("--json", "print the requirements and their status as JSON")
    .option("--rfc <number>", "only this RFC")
    .option("--write", `write ${requirementsDocument}`)
    .action(({ json, rfc, write }: { json?: true; rfc?: string; write?: true }) => {
      const { ledgers, diagnostics } = loadLedgers();
      if (diagnostics.length > 0) {
        process.stderr.write(formatDiagnostics(diagnostics));
        process.exitCode = 2;
        return;
      }
      const asked = ledgers.filter((ledger) => rfc === undefined || String(ledger.rfc) === rfc);
      if (asked.length === 0) {
        const known = ledgers.map((ledger) => ledger.rfc).join(", ");
        process.stderr.write(`pathlab requirements: no ledger of RFC ${rfc}; there is ${known}\n`);
        process.exitCode = 2;
        return;
      }
      if (write) writeFileSync(join(repositoryRoot, requirementsDocument), requirementsPage(ledgers));
      const { output, complaints, exitCode } = reportOf(asked, json ?? false);
      process.stdout.write(output);
      process.stderr.write(complaints);
      if (exitCode !== 0) process.exitCode = exitCode;
    });
}

/** What is printed of ledgers that are right about the code; exit code 1 when nothing covers a MUST. */
export function reportOf(
  ledgers: readonly Ledger[],
  json: boolean,
): { output: string; complaints: string; exitCode: 0 | 1 } {
  const coverage = ledgers.map(coverageOf);
  const missing = uncoveredMusts(coverage);
  const requirements = ledgers.flatMap((ledger) => ledger.requirements);
  return {
    output: json
      ? `${JSON.stringify({ version: 1, coverage, requirements }, undefined, 2)}\n`
      : alignedTable(coverageTable(coverage)),
    complaints: missing.map(({ id, level, text }) => `uncovered: ${id} ${level}: ${text}\n`).join(""),
    exitCode: missing.length > 0 ? 1 : 0,
  };
}

/** All ledgers, by RFC, with everything that is wrong with them. */
export function loadLedgers(): { ledgers: Ledger[]; diagnostics: Diagnostic[] } {
  const ledgers: Ledger[] = [];
  const diagnostics: Diagnostic[] = [];
  const names = readdirSync(join(repositoryRoot, folder)).filter((name) => name.endsWith(".yaml"));
  for (const name of names) {
    const file = `${folder}/${name}`;
    const parsed = parseLedger(file, readFileSync(join(repositoryRoot, file), "utf8"));
    if (!parsed.ok) diagnostics.push(...parsed.diagnostics);
    else {
      ledgers.push(parsed.value);
      diagnostics.push(...checkEvidence(parsed.value, checkout));
    }
  }
  return { ledgers: ledgers.sort((a, b) => a.rfc - b.rfc), diagnostics };
}

const texts = new Map<string, string | undefined>();

const checkout: Checkout = {
  read(path) {
    if (!texts.has(path)) texts.set(path, readOrUndefined(join(repositoryRoot, path)));
    return texts.get(path);
  },
  failingScripts: new Set(Object.keys(knownDifferences).map((script) => `stack/testing/scripts/${script}`)),
};

function readOrUndefined(path: string): string | undefined {
  try {
    return readFileSync(path, "utf8");
  } catch (error) {
    if (["ENOENT", "EISDIR", "ENOTDIR"].includes((error as NodeJS.ErrnoException).code ?? "")) return undefined;
    throw error;
  }
}

function alignedTable(rows: readonly (readonly string[])[]): string {
  const widths = rows[0]!.map((_, column) => Math.max(...rows.map((row) => row[column]!.length)));
  const line = (row: readonly string[]): string =>
    row.map((cell, i) => (i === 0 ? cell.padEnd(widths[i]!) : cell.padStart(widths[i]!))).join("  ");
  return rows.map((row) => `${line(row)}\n`).join("");
}

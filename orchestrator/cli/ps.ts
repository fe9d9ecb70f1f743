import type { Command } from "commander";
import { readJournals } from "../journal/journal.ts";
import { isAlive } from "../journal/process-identity.ts";
import { nodesOf } from "./lab-lookup.ts";

export function registerPsCommand(program: Command): void {
  program
    .command("ps")
    .description("list the labs of this machine")
    .option("--json", "one JSON document on stdout")
    .action((options: { json?: true }) => {
      const labs = readJournals().map((record) => ({
        lab: record.lab,
        since: record.since,
        owner: record.owner.pid,
        alive: isAlive(record.owner),
        title: record.title,
        nodes: nodesOf(record).map(({ name }) => name),
      }));
      if (options.json) {
        process.stdout.write(`${JSON.stringify({ version: 1, labs }, undefined, 2)}\n`);
        return;
      }
      const rows = labs.map(({ lab, since, owner, alive, title, nodes }) => [
        lab,
        since.slice(0, 19).replace("T", " "),
        alive ? String(owner) : "dead: pathlab clean",
        nodes.join(" "),
        title,
      ]);
      process.stdout.write(table([["LAB", "SINCE (UTC)", "OWNER", "NODES", "WHAT"], ...rows]));
    });
}

function table(rows: readonly (readonly string[])[]): string {
  const widths = (rows[0] ?? []).map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)));
  return rows
    .map(
      (row) =>
        `${row
          .map((cell, column) => cell.padEnd(widths[column] ?? 0))
          .join("  ")
          .trimEnd()}\n`,
    )
    .join("");
}

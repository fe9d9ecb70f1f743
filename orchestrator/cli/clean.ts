import type { Command } from "commander";
import type { CleanedLab } from "../journal/clean.ts";

export function registerCleanCommand(program: Command): void {
  program
    .command("clean")
    .description(
      "take back what labs left on this machine whose owners are dead; living labs and things of others are not touched",
    )
    .option("--lab <id>", "only this lab")
    .option("--json", "one JSON document on stdout")
    .action(async (options: { lab?: string; json?: boolean }) => {
      const { clean } = await import("../journal/clean.ts");
      const labs = await clean(options.lab === undefined ? {} : { lab: options.lab });
      process.stdout.write(
        options.json ? `${JSON.stringify({ version: 1, labs }, undefined, 2)}\n` : describe(labs, options.lab),
      );
      if (options.lab !== undefined && labs.length === 0) process.exitCode = 2;
      if (labs.some(({ outcome }) => outcome === "failed")) process.exitCode = 3;
    });
}

function describe(labs: readonly CleanedLab[], wanted: string | undefined): string {
  if (labs.length === 0) return wanted === undefined ? "nothing to clean\n" : `no lab ${wanted} on this machine\n`;
  return labs
    .map(({ lab, title, outcome, removed, reason }) => {
      const head = `${lab}${title && ` (${title})`}: ${outcome}${reason === undefined ? "" : `: ${reason}`}`;
      return `${[head, ...removed.map((thing) => `  removed ${thing}`)].join("\n")}\n`;
    })
    .join("");
}

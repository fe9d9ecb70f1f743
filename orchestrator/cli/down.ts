import { setTimeout as pause } from "node:timers/promises";
import type { Command } from "commander";
import { clean } from "../journal/clean.ts";
import { type JournalRecord, readJournal } from "../journal/journal.ts";
import { isAlive } from "../journal/process-identity.ts";
import { labNamed } from "./lab-lookup.ts";

export function registerDownCommand(program: Command): void {
  program
    .command("down")
    .summary("take a lab down")
    .description(
      "Asks the process that keeps a lab to take it down, and waits until it has. Where there is no such process any more, takes it down itself.",
    )
    .argument("<lab>", "the lab's four digits, as `pathlab ps` shows them")
    .action(async (id: string) => {
      const record = labNamed(id);
      if (record === undefined) return;
      if (isAlive(record.owner)) await askOwner(record);
      // The owner is gone; whatever it did not get to is ours to do.
      const [left] = readJournal(record.file) === undefined ? [] : await clean({ lab: id });
      if (left !== undefined && left.outcome !== "taken back") {
        process.stderr.write(`pathlab: lab ${id}: ${left.outcome}: ${left.reason}\n`);
        process.exitCode = 3;
        return;
      }
      process.stdout.write(`lab ${id} is down\n`);
    });
}

async function askOwner({ owner }: JournalRecord): Promise<void> {
  process.kill(owner.pid, "SIGTERM");
  while (isAlive(owner)) await pause(10);
}

/** Takes back the labs whose owners are dead, and leaves the others alone. */
import { type JournalRecord, readJournals, removeJournalFile } from "./journal.ts";
import { isAlive } from "./process-identity.ts";
import { takeBack } from "./take-back.ts";

export interface CleanedLab {
  readonly lab: string;
  readonly title: string;
  /** `left`: its owner lives. `failed`: the journal stays, so that the next `clean` tries again. */
  readonly outcome: "taken back" | "left" | "failed";
  readonly removed: readonly string[];
  readonly reason?: string;
}

export interface CleanOptions {
  /** Only this one. */
  readonly lab?: string;
  readonly state?: string;
}

export async function clean(options: CleanOptions = {}): Promise<CleanedLab[]> {
  const labs: CleanedLab[] = [];
  for (const record of readJournals(options.state)) {
    if (options.lab !== undefined && record.lab !== options.lab) continue;
    labs.push(await cleanLab(record));
  }
  return labs;
}

async function cleanLab(record: JournalRecord): Promise<CleanedLab> {
  const { lab, title, owner } = record;
  if (isAlive(owner))
    return { lab, title, outcome: "left", removed: [], reason: `its owner lives: process ${owner.pid}` };
  try {
    const removed = await takeBack(record, { ownerDied: true });
    removeJournalFile(record.file);
    return { lab, title, outcome: "taken back", removed };
  } catch (error) {
    return { lab, title, outcome: "failed", removed: [], reason: (error as Error).message };
  }
}

/** Labs and nodes of this machine by the names that people give, from the journals. */
import { type JournalRecord, readJournals } from "../journal/journal.ts";

export interface LabNode {
  readonly kind: "namespace" | "container";
  readonly lab: string;
  readonly name: string;
  readonly systemName: string;
}

export function nodesOf({ lab, entries }: JournalRecord): LabNode[] {
  const prefix = `pl-${lab}-`;
  return entries.flatMap((entry) => {
    if ((entry.kind !== "namespace" && entry.kind !== "container") || !entry.name.startsWith(prefix)) return [];
    const name = entry.name.slice(prefix.length);
    // Where the emulator is; no node of the experiment.
    return name === "middle" ? [] : [{ kind: entry.kind, lab, name, systemName: entry.name }];
  });
}

/** Undefined when there is none: stderr says which there are, the exit code is 2. */
export function labNamed(id: string): JournalRecord | undefined {
  const records = readJournals();
  const record = records.find(({ lab }) => lab === id);
  if (record === undefined) {
    const others = records.map(({ lab }) => lab).join(", ");
    process.stderr.write(
      `pathlab: found no lab ${id}, expected ${others || "one that `pathlab up` made, and there is none"}\n`,
    );
    process.exitCode = 2;
  }
  return record;
}

/** As `labNamed`. */
export function nodeNamed(id: string, name: string): LabNode | undefined {
  const record = labNamed(id);
  if (record === undefined) return undefined;
  const nodes = nodesOf(record);
  const node = nodes.find((candidate) => candidate.name === name);
  if (node === undefined) {
    process.stderr.write(
      `pathlab: found no node ${name} in lab ${id}, expected ${nodes.map((candidate) => candidate.name).join(", ")}\n`,
    );
    process.exitCode = 2;
  }
  return node;
}

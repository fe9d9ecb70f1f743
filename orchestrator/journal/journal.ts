/**
 * What a lab created on this machine: one file a lab, one JSON line a thing, written and on disk before the thing is made. So whatever happens to us, the
 * file names everything that can be there, and `clean` takes it back.
 */
import {
  closeSync,
  fsyncSync,
  linkSync,
  mkdirSync,
  openSync,
  readFileSync,
  readdirSync,
  rmSync,
  unlinkSync,
  writeSync,
} from "node:fs";
import { randomInt } from "node:crypto";
import { basename, dirname, join } from "node:path";
import { type ProcessIdentity, bootId, isAlive, ownIdentity } from "./process-identity.ts";
import { stateDirectory } from "./state-directory.ts";

/** A thing on the machine. Its name or mark alone is enough to find it: nothing that is only known afterwards (a pid, an id) is needed. */
export type JournalEntry =
  | { readonly kind: "namespace"; readonly name: string }
  | { readonly kind: "container"; readonly name: string }
  /** Found by `PATHLAB_LAB` and `PATHLAB_PROCESS` in its environment. */
  | { readonly kind: "process"; readonly name: string }
  | { readonly kind: "directory"; readonly path: string }
  | { readonly kind: "file"; readonly path: string };

export interface JournalRecord {
  readonly lab: string;
  readonly file: string;
  readonly owner: ProcessIdentity;
  /** A word for a person: what the lab is for. */
  readonly title: string;
  readonly since: string;
  readonly entries: readonly JournalEntry[];
}

interface Header {
  readonly kind: "lab";
  readonly version: 1;
  readonly lab: string;
  readonly owner: ProcessIdentity;
  readonly title: string;
  readonly since: string;
}

export interface JournalOptions {
  readonly state?: string;
  readonly title?: string;
  /** Called when an entry is on disk and its thing not yet made: where a test stops the world. */
  readonly onAppend?: (entry: JournalEntry, position: number) => void;
}

export class Journal {
  readonly lab: string;
  readonly file: string;
  readonly owner: ProcessIdentity;
  readonly #entries: JournalEntry[] = [];
  readonly #onAppend: NonNullable<JournalOptions["onAppend"]>;
  #descriptor: number | undefined;

  private constructor(lab: string, file: string, owner: ProcessIdentity, options: JournalOptions) {
    this.lab = lab;
    this.file = file;
    this.owner = owner;
    this.#onAppend = options.onAppend ?? ((): void => undefined);
    this.#descriptor = openSync(file, "a");
  }

  /** Opens the journal of a new lab, whose four hexadecimal digits no other lab of this machine has. */
  static create(options: JournalOptions = {}): Journal {
    const directory = journalDirectory(options.state);
    mkdirSync(directory, { recursive: true, mode: 0o755 });
    const owner = ownIdentity();
    for (;;) {
      const lab = randomInt(0x1_0000).toString(16).padStart(4, "0");
      const file = join(directory, `${lab}.ndjson`);
      const header: Header = {
        kind: "lab",
        version: 1,
        lab,
        owner,
        title: options.title ?? "",
        since: new Date().toISOString(),
      };
      if (!createExclusively(file, `${JSON.stringify(header)}\n`, owner)) continue;
      return new Journal(lab, file, owner, options);
    }
  }

  get entries(): readonly JournalEntry[] {
    return this.#entries;
  }

  /** Returns when the entry is on disk; only then may the thing be made. */
  append(entry: JournalEntry): void {
    if (this.#descriptor === undefined) throw new Error(`the journal of lab ${this.lab} is closed`);
    writeSync(this.#descriptor, `${JSON.stringify(entry)}\n`);
    fsyncSync(this.#descriptor);
    this.#entries.push(entry);
    this.#onAppend(entry, this.#entries.length);
  }

  /** Ends the journal once everything in it was taken back. May be called twice. */
  remove(): void {
    if (this.#descriptor === undefined) return;
    closeSync(this.#descriptor);
    this.#descriptor = undefined;
    removeJournalFile(this.file);
  }
}

/** Journals of this machine in the order of their labs, the living ones too. */
export function readJournals(state?: string): JournalRecord[] {
  const directory = journalDirectory(state);
  let names: string[];
  try {
    names = readdirSync(directory).sort();
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return [];
    throw error;
  }
  const records: JournalRecord[] = [];
  for (const name of names) {
    if (!name.endsWith(".ndjson")) continue;
    const record = readJournal(join(directory, name));
    if (record !== undefined) records.push(record);
  }
  return records;
}

/** Undefined when the file vanished meanwhile. Throws when it is not a journal: then nobody may guess what it meant. */
export function readJournal(file: string): JournalRecord | undefined {
  let text: string;
  try {
    text = readFileSync(file, "utf8");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw error;
  }
  // A line without its end was being written when the writer died: what it speaks of was never made.
  const lines = text
    .slice(0, text.lastIndexOf("\n") + 1)
    .split("\n")
    .slice(0, -1);
  const [first, ...rest] = lines.map((line, index) => parseLine(file, line, index + 1));
  const header = first as Partial<Header> | undefined;
  const lab = basename(file, ".ndjson");
  if (header?.kind !== "lab" || header.lab !== lab || header.owner === undefined) {
    throw new Error(`${file}: not a journal of lab ${lab}: its first line does not say who owns the lab`);
  }
  return {
    lab,
    file,
    owner: header.owner,
    title: header.title ?? "",
    since: header.since ?? "",
    entries: rest as JournalEntry[],
  };
}

function parseLine(file: string, line: string, number: number): unknown {
  try {
    return JSON.parse(line);
  } catch {
    throw new Error(`${file}:${number}: not a line of JSON`);
  }
}

export function removeJournalFile(file: string): void {
  rmSync(file, { force: true });
  syncDirectory(dirname(file));
}

export function journalDirectory(state: string = stateDirectory()): string {
  return join(state, "journal");
}

/**
 * A journal never exists without its first line, or a `clean` at the wrong moment would meet a lab of nobody: the line is written under a name of our own
 * and linked to its place, which fails when the place is taken.
 */
function createExclusively(file: string, content: string, owner: ProcessIdentity): boolean {
  const directory = dirname(file);
  removeAbandonedDrafts(directory);
  const draft = join(directory, `draft-${owner.pid}-${owner.startTime}-${owner.bootId}`);
  const descriptor = openSync(draft, "w", 0o644);
  try {
    writeSync(descriptor, content);
    fsyncSync(descriptor);
    linkSync(draft, file);
    syncDirectory(directory);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "EEXIST") return false;
    throw error;
  } finally {
    closeSync(descriptor);
    unlinkSync(draft);
  }
}

function removeAbandonedDrafts(directory: string): void {
  for (const name of readdirSync(directory)) {
    const match = /^draft-(\d+)-(\d+)-(.+)$/.exec(name);
    if (match === null) continue;
    const author = { pid: Number(match[1]), startTime: Number(match[2]), bootId: match[3] ?? bootId() };
    if (!isAlive(author)) rmSync(join(directory, name), { force: true });
  }
}

function syncDirectory(directory: string): void {
  const descriptor = openSync(directory, "r");
  try {
    fsyncSync(descriptor);
  } finally {
    closeSync(descriptor);
  }
}

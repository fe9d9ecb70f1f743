import { appendFileSync, mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "chai";
import { clean } from "./clean.ts";
import { Journal, type JournalEntry, readJournal, readJournals } from "./journal.ts";
import { bootId, isAlive, ownIdentity } from "./process-identity.ts";
import { takeBack } from "./take-back.ts";

describe("journal", () => {
  let state: string;

  beforeEach(() => {
    state = mkdtempSync(join(tmpdir(), "pathlab-state-"));
  });
  afterEach(() => rmSync(state, { recursive: true }));

  /** A journal whose owner is no more: the process of this number at boot was another. */
  function abandoned(lab: string, entries: readonly JournalEntry[]): string {
    mkdirSync(join(state, "journal"), { recursive: true });
    const owner = { pid: process.pid, startTime: 1, bootId: bootId() };
    const lines = [{ kind: "lab", version: 1, lab, owner, title: "", since: "" }, ...entries];
    const file = join(state, "journal", `${lab}.ndjson`);
    writeFileSync(file, lines.map((line) => `${JSON.stringify(line)}\n`).join(""));
    return file;
  }

  it("names its owner in its first line, before anything is made", () => {
    const journal = Journal.create({ state, title: "wifi-3g" });
    const record = readJournal(journal.file);
    expect(record).to.include({ lab: journal.lab, title: "wifi-3g" });
    expect(record?.owner).to.deep.equal(ownIdentity());
    expect(isAlive(journal.owner)).to.equal(true);
    journal.remove();
    expect(readdirSync(join(state, "journal"))).to.deep.equal([]);
  });

  it("has an entry on disk when the thing may be made", () => {
    const seen: unknown[] = [];
    const journal = Journal.create({
      state,
      onAppend: (entry, position) => seen.push([position, entry, readJournal(journal.file)?.entries.at(-1)]),
    });
    const first = { kind: "namespace", name: "pl-x-a" } as const;
    const second = { kind: "container", name: "pl-x-b" } as const;
    journal.append(first);
    journal.append(second);
    expect(seen).to.deep.equal([
      [1, first, first],
      [2, second, second],
    ]);
  });

  it("gives every lab a number of its own", () => {
    const labs = Array.from({ length: 300 }, () => Journal.create({ state }));
    expect(new Set(labs.map(({ lab }) => lab)).size).to.equal(300);
    expect(readJournals(state)).to.have.length(300);
    for (const { lab } of labs) expect(lab).to.match(/^[0-9a-f]{4}$/);
    for (const journal of labs) journal.remove();
  });

  it("ignores a line that was being written when its writer died, as its thing was never made", () => {
    const file = abandoned("00aa", [{ kind: "namespace", name: "pl-00aa-phone" }]);
    appendFileSync(file, '{"kind":"namespace","na');
    expect(readJournal(file)?.entries).to.deep.equal([{ kind: "namespace", name: "pl-00aa-phone" }]);
  });

  it("refuses a file that does not say whose lab it is", () => {
    const file = abandoned("00aa", []);
    writeFileSync(file, '{"kind":"namespace","name":"pl-00aa-x"}\n');
    expect(() => readJournal(file)).to.throw(/does not say who owns the lab/);
    writeFileSync(file, "?\n");
    expect(() => readJournal(file)).to.throw(/00aa\.ndjson:1: not a line of JSON/);
  });

  it("removes files and directories that carry the mark, last made first", async () => {
    const directory = join(state, "pl-00aa-files");
    const file = join(directory, "capture");
    mkdirSync(directory);
    writeFileSync(file, "");
    const journal = abandoned("00aa", [
      { kind: "directory", path: directory },
      { kind: "file", path: file },
    ]);
    const [cleaned] = await clean({ state });
    expect(cleaned).to.deep.equal({
      lab: "00aa",
      title: "",
      outcome: "taken back",
      removed: [`file ${file}`, `directory ${directory}`],
    });
    expect(readJournal(journal)).to.equal(undefined);
  });

  it("touches nothing when an entry does not carry the lab's mark", async () => {
    const innocent = join(state, "innocent");
    writeFileSync(innocent, "");
    for (const entry of [
      { kind: "file", path: innocent },
      { kind: "directory", path: "relative/pl-00aa-x" },
      { kind: "namespace", name: "production" },
      { kind: "namespace", name: "pl-00aa-../../x" },
      { kind: "container", name: "pl-00ab-phone" },
    ] as const) {
      abandoned("00aa", [entry]);
      const [cleaned] = await clean({ state });
      expect(cleaned?.outcome).to.equal("failed");
      expect(cleaned?.reason).to.match(/without the mark pl-00aa-/);
    }
    expect(readFileSync(innocent, "utf8")).to.equal("");
    expect(readJournals(state), "the journal stays for the next clean").to.have.length(1);
  });

  it("cleans only the lab that is asked for", async () => {
    abandoned("00aa", []);
    abandoned("00ab", []);
    expect((await clean({ state, lab: "00ab" })).map(({ lab }) => lab)).to.deep.equal(["00ab"]);
    expect(readJournals(state).map(({ lab }) => lab)).to.deep.equal(["00aa"]);
  });

  it("takes an empty lab back without a word", async () => {
    expect(await takeBack({ lab: "00aa", owner: ownIdentity(), entries: [] })).to.deep.equal([]);
  });
});

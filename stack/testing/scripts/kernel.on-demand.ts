import { readdirSync, writeFileSync } from "node:fs";
import { expect } from "chai";
import { kernelDifferences } from "./kernel-differences.ts";
import { type KernelOutcome, runAllOnKernel } from "./kernel-run.ts";
import { kernelTable } from "./kernel-table.ts";

/**
 * All scripts on the kernel of this machine; root, about three minutes: the longest script waits for that long. Not among the tests of
 * `./pathlab test`, which has a part of it (kernel.system.test.ts).
 *
 * PATHLAB_PACKETDRILL_SCRIPTS: a regular expression; only files whose name it matches are run.
 * PATHLAB_PACKETDRILL_TABLE: the file to which the document is written; of whole runs only.
 */
const chosen = new RegExp(process.env["PATHLAB_PACKETDRILL_SCRIPTS"] ?? "");
const table = process.env["PATHLAB_PACKETDRILL_TABLE"];
const scriptsAtOnce = 8;

const scripts = readdirSync(import.meta.dirname, { recursive: true, encoding: "utf8" })
  .filter((file) => file.endsWith(".pkt"))
  .sort();
const causes = new Map(kernelDifferences.flatMap((cause) => cause.scripts.map((file) => [file, cause])));

describe("scripts on the Linux kernel, in real time", function () {
  this.timeout(600_000);
  let outcomes: Map<string, Promise<KernelOutcome>>;
  const selected = scripts.filter((file) => chosen.test(file));

  before(() => {
    outcomes = runAllOnKernel(selected, scriptsAtOnce);
  });

  after(async () => {
    if (table === undefined || chosen.source !== "(?:)") return;
    const all = new Map<string, KernelOutcome>();
    for (const [file, outcome] of outcomes) all.set(file, await outcome);
    writeFileSync(table, kernelTable(all, new Date().toISOString().slice(0, 10)));
  });

  for (const file of selected) {
    const cause = causes.get(file);
    it(cause === undefined ? file : `${file} (the kernel ${cause.kernel}: ${cause.section})`, async () => {
      const outcome = await outcomes.get(file)!;
      if (cause === undefined) expect(outcome.result === "same" ? "" : outcome.message).to.equal("");
      else if (cause.races !== true)
        expect(outcome.result, `${file} holds on the kernel now: take it off the differences`).not.to.equal("same");
    });
  }

  it("knows no difference of a script that does not exist, and none twice", () => {
    const known = kernelDifferences.flatMap(({ scripts: files }) => files);
    expect(known.filter((file) => !scripts.includes(file))).to.deep.equal([]);
    expect(known.length).to.equal(causes.size);
  });
});

import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "chai";
import * as fc from "fast-check";
import { formatDiagnostic } from "./diagnostics.ts";
import { loadFile } from "./load.ts";

const repository = join(import.meta.dirname, "../..");
const wellFormed = /^[^:\n]+:[1-9]\d*:[1-9]\d*: [^\n]*: found \S[^\n]*, expected \S[^\n]*; \S[^\n]*$/;

/** Pieces that a hand on a keyboard, or a tool gone wrong, may leave in a file. */
const scraps = fc.oneof(
  fc.constantFrom(
    ":",
    "- ",
    "{",
    "}",
    "[",
    "]",
    "\n",
    "\t",
    "  ",
    "#",
    "'",
    '"',
    "&a ",
    "*a",
    "!x ",
    "<<: ",
    "|\n",
    "? ",
    "null",
    "~",
    "0",
    "-1",
    "1e9",
    ".inf",
  ),
  fc.constantFrom(
    "8mbit",
    "20ms",
    "99999999999gbit",
    "0s",
    "10.0.0.1/24",
    "phone",
    "wifi",
    "__proto__: ",
    "constructor: ",
    "toString",
    "kind: bulk",
  ),
  fc.string({ maxLength: 6 }),
);

describe("a damaged file", () => {
  let folder: string;
  before(() => (folder = mkdtempSync(join(tmpdir(), "pathlab-damaged-"))));
  after(() => rmSync(folder, { recursive: true }));

  for (const name of [
    "topologies/wifi-3g.yaml",
    "topologies/profiles.yaml",
    "experiments/wifi-3g.yaml",
    "experiments/wifi-3g-failover.yaml",
  ]) {
    const text = readFileSync(join(repository, name), "utf8")
      .replace(/^( *#.*\n)+/gm, "")
      .replace("../topologies/", `${repository}/topologies/`);

    it(`is loaded or refused with its diagnostics, never anything else: ${name}`, () => {
      const file = join(folder, "damaged.yaml");
      const damages = fc.array(
        fc.record({ at: fc.nat({ max: text.length }), removed: fc.nat({ max: 12 }), inserted: scraps }),
        { minLength: 1, maxLength: 3 },
      );
      fc.assert(
        fc.property(damages, (list) => {
          const damaged = list.reduce(
            (whole, { at, removed, inserted }) => whole.slice(0, at) + inserted + whole.slice(at + removed),
            text,
          );
          writeFileSync(file, damaged);
          const checked = loadFile(file);
          if (checked.ok) return;
          expect(checked.diagnostics, damaged).not.to.have.length(0);
          for (const diagnostic of checked.diagnostics)
            expect(formatDiagnostic(diagnostic), damaged).to.match(wellFormed);
        }),
        { numRuns: Number(process.env["DAMAGED_RUNS"] ?? 100) },
      );
    }).timeout(240_000);
  }
});

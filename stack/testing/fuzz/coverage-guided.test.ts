import { mkdtempSync, rmSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "chai";
import { corpusFor } from "./corpus.ts";
import { bundleTarget } from "./coverage-guided.ts";
import { type FuzzTarget, targets } from "./targets.ts";

describe("a fuzz target for the coverage-guided fuzzer", () => {
  let directory: string;
  before(() => (directory = mkdtempSync(join(tmpdir(), "pathlab-fuzz-"))));
  after(() => rmSync(directory, { recursive: true }));

  for (const target of Object.keys(targets)) {
    it(`is one file that takes bytes: ${target}`, async () => {
      const bundle = await bundleTarget(target, directory);
      const { fuzz } = createRequire(import.meta.url)(bundle) as { fuzz: FuzzTarget };
      expect(() => fuzz(corpusFor(target)[0]!)).not.to.throw();
      expect(() => fuzz(new Uint8Array(0))).not.to.throw();
    });
  }
});

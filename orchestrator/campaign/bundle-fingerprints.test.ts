import { createHash } from "node:crypto";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "chai";
import { digestFile, listFiles } from "../bundle/hash-files.ts";
import { bundleFiles } from "../bundle/layout.ts";
import { formatDiagnostics } from "../model/diagnostics.ts";
import { loadExperiment } from "../model/load.ts";
import { runExperiment } from "./run-experiment.ts";

const repository = join(import.meta.dirname, "../..");
const golden = join(import.meta.dirname, "golden", "bundle-fingerprints.json");

/** One hash over names and hashes of all that a bundle holds, but for its manifests and pages: those tell when and where it was made. */
async function fingerprintOf(bundle: string): Promise<string> {
  const names = (await listFiles(bundle)).filter(
    (name) => !name.endsWith(bundleFiles.manifest) && !name.endsWith(bundleFiles.report),
  );
  const hash = createHash("sha256");
  for (const name of names.sort((a, b) => (a < b ? -1 : 1)))
    hash.update(`${name} ${(await digestFile(join(bundle, name))).sha256}\n`);
  return hash.digest("hex");
}

/** Whole runs, from the file to the sealed bundle: capture, metrics, events, results and verdict. `UPDATE_GOLDEN=1` writes them anew, and the commit says why. */
describe("fingerprints of whole bundles", function () {
  this.timeout(300_000);
  let directory: string;

  before(() => (directory = mkdtempSync(join(tmpdir(), "pathlab-bundle-fingerprints-"))));
  after(() => rmSync(directory, { recursive: true, force: true }));

  for (const name of ["wifi-3g", "wifi-3g-failover", "request-response"]) {
    it(`are those in git: ${name}`, async () => {
      const loaded = loadExperiment(join(repository, "experiments", `${name}.yaml`));
      if (!loaded.ok) throw new Error(formatDiagnostics(loaded.diagnostics));
      const outcome = await runExperiment({
        loaded: loaded.value,
        substrate: "simulation",
        seed: 1,
        abilities: { netem: false },
        resultsDirectory: directory,
        command: ["run"],
        progress: () => undefined,
        signal: new AbortController().signal,
      });
      const fingerprint = await fingerprintOf(outcome.directory);
      if (process.env["UPDATE_GOLDEN"]) {
        const kept = JSON.parse(readFileSync(golden, "utf8")) as Record<string, string>;
        writeFileSync(golden, `${JSON.stringify({ ...kept, [name]: fingerprint }, null, 2)}\n`);
      }
      expect(fingerprint).to.equal((JSON.parse(readFileSync(golden, "utf8")) as Record<string, string>)[name]);
    });
  }
});

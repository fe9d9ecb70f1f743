import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readFileSync, readdirSync, renameSync, rmSync } from "node:fs";
import { createRequire } from "node:module";
import path from "node:path";

const flags = ["-O2", "-Wall", "-Wextra", "-shared", "-fPIC"];

/** The machine has no C compiler, or the compiler refused the sources; the message holds its output. */
export class NativeBuildError extends Error {
  override readonly name = "NativeBuildError";
}

export type NativeBuildOptions = {
  /** Holds the C files (default: this one). */
  sourceDirectory?: string;
  /** Default: `build/native` of the repository. */
  outputDirectory?: string;
  /** Default: $CC, else cc. */
  compiler?: string;
};

/**
 * Compiles the native addon into `<hash of sources>.node` and returns that path. Does nothing when the file is there.
 * Two builders at once do no harm: each compiles aside and renames.
 *
 * @throws NativeBuildError
 */
export function buildNative(options: NativeBuildOptions = {}): string {
  const sourceDirectory = options.sourceDirectory ?? import.meta.dirname;
  const outputDirectory = options.outputDirectory ?? path.resolve(import.meta.dirname, "../../../build/native");
  const compiler = options.compiler ?? process.env["CC"] ?? "cc";
  const sources = readdirSync(sourceDirectory)
    .filter((name) => /\.[ch]$/.test(name))
    .sort();
  if (sources.length === 0)
    throw new NativeBuildError(
      `no sources of the native addon in ${sourceDirectory}: a bundle needs the built addon beside it or in PATHLAB_NATIVE`,
    );
  const hash = createHash("sha256").update(process.arch).update(flags.join(" "));
  for (const name of sources) hash.update(name).update(readFileSync(path.join(sourceDirectory, name)));
  const target = path.join(outputDirectory, `${hash.digest("hex").slice(0, 16)}.node`);
  if (existsSync(target)) return target;

  mkdirSync(outputDirectory, { recursive: true });
  const aside = `${target}.${process.pid}`;
  const units = sources.filter((name) => name.endsWith(".c")).map((name) => path.join(sourceDirectory, name));
  try {
    execFileSync(compiler, [...flags, `-I${nodeHeaders()}`, ...units, "-o", aside], {
      encoding: "utf8",
      stdio: "pipe",
    });
    renameSync(aside, target);
  } catch (error) {
    rmSync(aside, { force: true });
    if (error instanceof NativeBuildError) throw error;
    const { code, stderr } = error as { code?: string; stderr?: string };
    throw new NativeBuildError(
      code === "ENOENT"
        ? `no C compiler "${compiler}": install one (Debian: apt-get install gcc libc6-dev)`
        : `the native addon does not compile:\n${stderr || String(error)}`,
      { cause: error },
    );
  }
  return target;
}

/** Node-API is the same for every Node of the last years, so any headers at hand will do. */
function nodeHeaders(): string {
  const candidates = [path.resolve(process.execPath, "../../include/node")];
  try {
    const runtime = createRequire(import.meta.url).resolve(`node-linux-${process.arch}/package.json`);
    candidates.unshift(path.join(path.dirname(runtime), "include/node"));
  } catch {
    // The runtime package is absent on this architecture; the headers beside the running node remain.
  }
  const found = candidates.find((directory) => existsSync(path.join(directory, "node_api.h")));
  if (!found) throw new NativeBuildError(`no Node headers (node_api.h) in ${candidates.join(" or ")}: run npm ci`);
  return found;
}

if (process.argv[1] === import.meta.filename) process.stdout.write(`${buildNative()}\n`);

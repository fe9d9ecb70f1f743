/** Modules of one's own that an experiment names for scheduler, path manager or congestion control (docs/algorithms.md). */
import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { basename, dirname, isAbsolute, join } from "node:path";
import type { buildSync as buildNow } from "esbuild";
import { isPair, isScalar, visit } from "yaml";
import { isModulePath } from "../../stack/endpoint/module-path.ts";
import type { AlgorithmKey, AlgorithmModule } from "./experiment.ts";
import type { Complaint, YamlSource } from "./yaml-source.ts";

export const algorithmKeys: readonly AlgorithmKey[] = ["congestionControl", "scheduler", "pathManager"];

/** All modules that an experiment file names, each read once; also those of its baselines, which go with the file wherever it is taken. */
export class AlgorithmModules {
  readonly #read = new Map<string, ReadModule>();

  constructor(source: YamlSource) {
    for (const path of modulePaths(source.document))
      this.#read.set(path, readModule(isAbsolute(path) ? path : join(dirname(source.file), path)));
  }

  /** What it makes `key`, or what is wrong with it. */
  find(path: string, key: AlgorithmKey): AlgorithmModule | Omit<Complaint, "path"> {
    const read = this.#read.get(path)!;
    if ("found" in read) return read;
    const { exports, sha256, javascript } = read;
    if (exports.includes(key)) return { path, sha256, javascript };
    return {
      found: `a module that exports ${exports.length === 0 ? "nothing" : exports.join(", ")}`,
      expected: `an export ${key}`,
      hint: `as in export const ${key} = () => …`,
    };
  }

  /** To be written beside a copy of the experiment: each is whole in itself. */
  get files(): { readonly name: string; readonly text: string }[] {
    return [...this.#read].flatMap(([path, read]) =>
      "found" in read ? [] : [{ name: nameBeside(path, read), text: read.javascript }],
    );
  }

  /** Lets a copy of the experiment name those files. */
  renameIn(document: YamlSource["document"]): void {
    for (const path of modulePaths(document)) {
      const read = this.#read.get(path);
      if (read !== undefined && !("found" in read)) eachPath(document, path, `./${nameBeside(path, read)}`);
    }
  }
}

type ReadModule =
  | { readonly sha256: string; readonly javascript: string; readonly exports: readonly string[] }
  | Omit<Complaint, "path">;

const nameBeside = (path: string, { sha256 }: { readonly sha256: string }): string =>
  `algorithms/${sha256.slice(0, 8)}-${basename(path).replace(/\.[^.]*$/, "")}.mjs`;

function modulePaths(document: YamlSource["document"]): Set<string> {
  const paths = new Set<string>();
  visitPaths(document, (path) => {
    paths.add(path);
    return path;
  });
  return paths;
}

function eachPath(document: YamlSource["document"], from: string, to: string): void {
  visitPaths(document, (path) => (path === from ? to : path));
}

/** Baselines write `hosts.phone.scheduler` as one key. */
function visitPaths(document: YamlSource["document"], replace: (path: string) => string): void {
  visit(document, {
    Pair: (_, pair) => {
      if (!isPair(pair) || !isScalar(pair.key) || !isScalar(pair.value) || !isModulePath(pair.value.value)) return;
      const key = String(pair.key.value).split(".").at(-1);
      if (algorithmKeys.includes(key as AlgorithmKey)) pair.value.value = replace(pair.value.value);
    },
  });
}

/** With all that it imports in one text, which runs where neither its folder nor pathlab's is: in a container, or from a bundle of results. */
function readModule(file: string): ReadModule {
  let source: Buffer;
  try {
    source = readFileSync(file);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    const found = code === "ENOENT" ? `no file ${file}` : `a file that cannot be read (${code})`;
    return { found, expected: "a module", hint: "the path is relative to this file" };
  }
  // Loaded when it is needed: experiments without modules do not wait for it.
  const { buildSync } = createRequire(import.meta.url)("esbuild") as { readonly buildSync: typeof buildNow };
  try {
    const { outputFiles, metafile } = buildSync({
      entryPoints: [file],
      bundle: true,
      write: false,
      metafile: true,
      platform: "node",
      target: "node24",
      format: "esm",
      // Otherwise comments tell the folders of this machine.
      minifyWhitespace: true,
      legalComments: "none",
      logLevel: "silent",
      outfile: "module.mjs",
    });
    const { exports } = Object.values(metafile.outputs)[0]!;
    const sha256 = createHash("sha256").update(source).digest("hex");
    return { sha256, javascript: outputFiles[0]!.text, exports: exports.toSorted() };
  } catch (error) {
    const first = (error as { errors?: { text: string; location: { line: number } | null }[] }).errors?.[0];
    const what = first === undefined ? (error as Error).message : first.text;
    const where = first?.location ? ` at line ${first.location.line}` : "";
    return {
      found: `a module that cannot be built (${what}${where})`,
      expected: "TypeScript or JavaScript",
      hint: "mend it, or check what it imports",
    };
  }
}

/**
 * The endpoint program as one file for another machine: the stack, its command line and the native addon, for this processor's kind and Node 24.
 * `node stack/endpoint/bundle/distributable.ts FILE` writes it and says its size.
 */
import { chmodSync, mkdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { build, type Plugin } from "esbuild";
import { buildNative } from "../../io/native/build.ts";
import { bundleExtension, bundleOptions } from "./bundle-options.ts";

const embedAddon: Plugin = {
  name: "native addon inside",
  setup(build) {
    build.onLoad({ filter: /\/embedded-addon\.ts$/ }, () => ({
      contents: `export const embeddedAddon = ${JSON.stringify(readFileSync(buildNative(), "base64"))};`,
      loader: "ts",
    }));
  },
};

/**
 * Writes the program to `file`, executable where `node` is Node 24; returns its bytes.
 * @throws NativeBuildError
 */
export async function buildDistributable(file: string): Promise<number> {
  const { outputFiles } = await build({
    ...bundleOptions,
    banner: { js: `#!/usr/bin/env node\n${bundleOptions.banner?.["js"] ?? ""}` },
    entryPoints: [join(import.meta.dirname, "../main.ts")],
    // Not names: stack traces are read.
    minifyWhitespace: true,
    minifySyntax: true,
    plugins: [embedAddon],
    write: false,
    logLevel: "silent",
  });
  const { contents } = outputFiles[0]!;
  mkdirSync(dirname(file), { recursive: true });
  const aside = `${file}.${process.pid}`;
  writeFileSync(aside, contents);
  chmodSync(aside, 0o755);
  renameSync(aside, file);
  return contents.length;
}

if (process.argv[1] === import.meta.filename) {
  const file = resolve(process.argv[2] ?? `build/endpoint${bundleExtension}`);
  process.stdout.write(`${file}: ${await buildDistributable(file)} bytes\n`);
}

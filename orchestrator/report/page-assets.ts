/** Script and style of the page, each bundled into one text with uPlot in it. */
import { build } from "esbuild";
import { fileURLToPath } from "node:url";

let script: Promise<string> | undefined;
let style: Promise<string> | undefined;

/** Once per process; the same text every time. */
export function pageScript(): Promise<string> {
  return (script ??= bundleAsset("page/main.ts"));
}

export function pageStyle(): Promise<string> {
  return (style ??= bundleAsset("page/style.css"));
}

async function bundleAsset(file: string): Promise<string> {
  const result = await build({
    entryPoints: [fileURLToPath(new URL(file, import.meta.url))],
    bundle: true,
    minify: true,
    format: "iife",
    target: "es2022",
    charset: "utf8",
    legalComments: "inline",
    write: false,
    logLevel: "silent",
  });
  return result.outputFiles[0]!.text.trim();
}

/** The programs that run inside hosts and between them: one file each without dependencies, as that starts in 30 ms instead of 270. */
import { existsSync, mkdirSync, readFileSync, readdirSync, renameSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { bundleExtension, bundleOptions } from "../../../stack/endpoint/bundle/bundle-options.ts";
import { bundledAddonName } from "../../../stack/io/native/addon.ts";
import { buildNative } from "../../../stack/io/native/build.ts";

export type ProgramName = "endpoint" | "emulator" | "measure" | "capture";

const sources: Readonly<Record<ProgramName, string>> = {
  endpoint: "stack/endpoint/main.ts",
  emulator: "orchestrator/path/emulator/main.ts",
  measure: "orchestrator/path/measure/main.ts",
  capture: "orchestrator/capture/main.ts",
};

export const programNames: readonly ProgramName[] = Object.keys(sources) as ProgramName[];

export const repository: string = fileURLToPath(new URL("../../../", import.meta.url)).replace(/\/$/, "");

/** Programs and the native addon that they load lie in one directory, which containers mount. */
export const programDirectory: string = join(repository, "build/programs");

/** Videos that experiments play, each made once. */
export const videoCache: string = join(repository, "build/videos");

export function programFile(name: ProgramName): string {
  return join(programDirectory, `${name}${bundleExtension}`);
}

const addonSources = "stack/io/native";
const addonRecord = join(programDirectory, "addon.sources.json");

/** What a program was made from; while size and time of all of it are the same, so is the program. */
interface BuildRecord {
  readonly sources: Readonly<Record<string, { readonly size: number; readonly modified: number }>>;
}

/** Programs that are missing or older than their sources. */
export function staleProgramNames(names: readonly ProgramName[] = programNames): ProgramName[] {
  return names.filter((name) => !isFresh(name));
}

/**
 * Builds what is not fresh. A running program keeps the file that it was started from.
 * @throws When a source does not build; the message holds the builder's.
 */
export async function buildPrograms(names: readonly ProgramName[] = programNames): Promise<void> {
  const stale = staleProgramNames(names);
  if (stale.length === 0) return;
  mkdirSync(programDirectory, { recursive: true });
  const { build } = await import("esbuild");
  await Promise.all(
    stale.map(async (name) => {
      const { metafile, outputFiles } = await build({
        ...bundleOptions,
        absWorkingDir: repository,
        entryPoints: [sources[name]],
        write: false,
        metafile: true,
        logLevel: "silent",
      });
      replaceFile(programFile(name), outputFiles[0]?.contents ?? "");
      replaceFile(recordFile(name), JSON.stringify(buildRecord(Object.keys(metafile.inputs))));
    }),
  );
}

/** Whether the addon beside the programs is the one that its sources give. */
export function isAddonFresh(): boolean {
  return existsSync(join(programDirectory, bundledAddonName)) && isRecordFresh(addonRecord);
}

/**
 * Compiles the native addon and lays it beside the programs.
 * @throws NativeBuildError
 */
export function buildAddon(): void {
  const built = buildNative();
  mkdirSync(programDirectory, { recursive: true });
  replaceFile(join(programDirectory, bundledAddonName), readFileSync(built));
  const files = readdirSync(join(repository, addonSources)).map((name) => join(addonSources, name));
  replaceFile(addonRecord, JSON.stringify(buildRecord(files)));
}

function isFresh(name: ProgramName): boolean {
  return existsSync(programFile(name)) && isRecordFresh(recordFile(name));
}

function buildRecord(paths: readonly string[]): BuildRecord {
  return { sources: Object.fromEntries(paths.map((path) => [path, sourceState(path)])) };
}

function isRecordFresh(file: string): boolean {
  if (!existsSync(file)) return false;
  const record = JSON.parse(readFileSync(file, "utf8")) as BuildRecord;
  return Object.entries(record.sources).every(([path, { size, modified }]) => {
    const state = sourceState(path);
    return state.size === size && state.modified === modified;
  });
}

function sourceState(path: string): { size: number; modified: number } {
  const status = statSync(join(repository, path), { throwIfNoEntry: false });
  return { size: status?.size ?? -1, modified: status?.mtimeMs ?? -1 };
}

function recordFile(name: ProgramName): string {
  return join(programDirectory, `${name}.sources.json`);
}

function replaceFile(path: string, content: string | Uint8Array): void {
  const aside = `${path}.${process.pid}`;
  writeFileSync(aside, content);
  renameSync(aside, path);
}

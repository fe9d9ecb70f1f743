/** The bundle of all repetitions of an experiment: no run of its own, but what was run, one verdict, and where the bundles of the runs are. */
import { randomBytes } from "node:crypto";
import { mkdir, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { asWriteError } from "./bundle-error.ts";
import { bundleDirectory, bundleSchemaVersion } from "./layout.ts";
import { makeFolders } from "./make-folders.ts";
import type { BundleDescription } from "./manifest.ts";
import { giveTo, sudoCaller } from "./ownership.ts";
import { sealDirectory } from "./seal.ts";

export interface RepetitionsBundle {
  readonly experiment: string;
  /** When it was judged, so that it stands behind its runs. */
  readonly judgedAt: Date;
  /** By name. */
  readonly files: Readonly<Record<string, string>>;
  readonly description: Omit<BundleDescription, "schemaVersion" | "id" | "experiment" | "baseline">;
}

/** Makes `<resultsDirectory>/<experiment>/<time>-<id>-repetitions/`, sealed; answers its path. Throws `BundleError` (`disk-full`, `unwritable`). */
export async function writeRepetitionsBundle(resultsDirectory: string, bundle: RepetitionsBundle): Promise<string> {
  const { experiment, judgedAt, files, description } = bundle;
  const id = `${randomBytes(3).toString("hex")}-repetitions`;
  const directory = bundleDirectory(resultsDirectory, experiment, judgedAt, id);
  try {
    await makeFolders(dirname(directory));
    await mkdir(directory);
    for (const [name, text] of Object.entries(files)) {
      await mkdir(dirname(join(directory, name)), { recursive: true });
      await writeFile(join(directory, name), text);
    }
  } catch (error) {
    throw asWriteError(error, directory);
  }
  await sealDirectory(directory, { schemaVersion: bundleSchemaVersion, id, experiment, ...description });
  const owner = sudoCaller();
  if (owner !== undefined) await giveTo(owner, directory);
  return directory;
}

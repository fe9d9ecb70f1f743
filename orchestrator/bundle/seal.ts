/** Writes manifests: the first one of a bundle, and the next when a file that is derived from the others was made again. */
import { chown, open, rename, stat } from "node:fs/promises";
import { join } from "node:path";
import { asWriteError, BundleError } from "./bundle-error.ts";
import { digestFile, listFiles } from "./hash-files.ts";
import { bundleFiles, isDerivedFile } from "./layout.ts";
import { manifestSeal } from "./manifest.ts";
import type { BundleDescription, Manifest } from "./manifest.ts";
import { isSealIntact } from "./open-bundle.ts";
import type { Bundle } from "./open-bundle.ts";

const temporaryFile = `.${bundleFiles.manifest}.tmp`;

/** Hashes every file of the directory as it is now. */
export async function sealDirectory(directory: string, description: BundleDescription): Promise<Manifest> {
  const files: Manifest["files"] = {};
  for (const name of await listFiles(directory)) {
    if (name !== bundleFiles.manifest && name !== temporaryFile) files[name] = await digestFile(join(directory, name));
  }
  return writeManifest(directory, { ...description, files });
}

/**
 * Takes derived files that were written anew into the manifest; all other hashes stay those of the run, so that nothing else can change unnoticed. Throws
 * `BundleError` (`damaged`) where the manifest is not as it was sealed.
 */
export async function resealDerived(bundle: Bundle, names: readonly string[]): Promise<Manifest> {
  const { directory, manifest } = bundle;
  const stranger = names.find((name) => !isDerivedFile(name));
  if (stranger !== undefined) throw new RangeError(`${stranger} is not derived from the rest of the bundle`);
  if (!(await isSealIntact(bundle))) {
    throw new BundleError(
      "damaged",
      directory,
      `${bundle.path(bundleFiles.manifest)}: it was changed after the run and will not be sealed again`,
    );
  }
  const { seal: _, ...content } = manifest;
  const files = { ...manifest.files };
  const { uid, gid } = await stat(directory);
  for (const name of names) {
    files[name] = await digestFile(join(directory, name));
    await chown(join(directory, name), uid, gid);
  }
  const sorted = Object.fromEntries(Object.entries(files).toSorted(([one], [other]) => (one < other ? -1 : 1)));
  const written = await writeManifest(directory, { ...content, files: sorted });
  await chown(join(directory, bundleFiles.manifest), uid, gid);
  return written;
}

/** At once: a temporary file, synced and renamed. */
async function writeManifest(directory: string, unsealed: Omit<Manifest, "seal">): Promise<Manifest> {
  const path = join(directory, bundleFiles.manifest);
  const temporary = join(directory, temporaryFile);
  const manifest: Manifest = { ...unsealed, seal: manifestSeal(unsealed) };
  try {
    const file = await open(temporary, "w");
    try {
      await file.writeFile(`${JSON.stringify(manifest, null, 2)}\n`);
      await file.sync();
    } finally {
      await file.close();
    }
    await rename(temporary, path);
    return manifest;
  } catch (error) {
    throw asWriteError(error, path);
  }
}

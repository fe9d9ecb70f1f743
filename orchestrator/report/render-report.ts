/** Makes the pages of bundles on disk, first or anew, and takes them into the manifests. */
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { asWriteError } from "../bundle/bundle-error.ts";
import { bundleFiles } from "../bundle/layout.ts";
import { openBundle } from "../bundle/open-bundle.ts";
import type { Bundle } from "../bundle/open-bundle.ts";
import { resealDerived } from "../bundle/seal.ts";
import { renderPage } from "./render-page.ts";

/** Writes `report.html` of a sealed bundle and returns its path. Throws `BundleError`: no bundle, a damaged file, a disk that is full. */
export async function renderReport(directory: string): Promise<string> {
  const bundle = await openBundle(directory);
  const path = await writePage(bundle);
  await resealDerived(bundle, [bundleFiles.report]);
  return path;
}

/** The same of a bundle with all of its baselines. Returns the path of its own page. */
export async function renderReports(directory: string): Promise<string> {
  const bundle = await openBundle(directory);
  const derived: string[] = [bundleFiles.report];
  for (const { manifest } of await bundle.baselines()) {
    const below = join(bundleFiles.baselines, manifest.baseline ?? "");
    await renderReport(bundle.path(below));
    derived.push(join(below, bundleFiles.report), join(below, bundleFiles.manifest));
  }
  const path = await writePage(bundle);
  await resealDerived(bundle, derived);
  return path;
}

async function writePage(bundle: Bundle): Promise<string> {
  const path = bundle.path(bundleFiles.report);
  const page = await renderPage(bundle);
  try {
    await writeFile(path, page);
  } catch (error) {
    throw asWriteError(error, path);
  }
  return path;
}

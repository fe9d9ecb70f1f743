/** Whether a bundle is what was sealed: every hash and size, nothing missing, nothing added, the manifest untouched; its baselines' bundles alike. */
import { join } from "node:path";
import { BundleError } from "./bundle-error.ts";
import { digestFile, listFiles } from "./hash-files.ts";
import { bundleFiles } from "./layout.ts";
import { isSealIntact, openBundle } from "./open-bundle.ts";
import type { Bundle } from "./open-bundle.ts";

export interface BundleProblem {
  /** Relative to the bundle. */
  readonly file: string;
  readonly problem: "manifest damaged" | "missing" | "extra" | "size differs" | "content differs";
  readonly message: string;
}

export interface BundleVerification {
  readonly directory: string;
  readonly files: number;
  readonly bytes: number;
  readonly problems: readonly BundleProblem[];
}

/** Throws `BundleError` (`not-a-bundle`) where there is no manifest at all. */
export async function verifyBundle(directory: string): Promise<BundleVerification> {
  let bundle: Bundle;
  try {
    bundle = await openBundle(directory);
  } catch (error) {
    if (!(error instanceof BundleError) || error.code !== "damaged") throw error;
    const problem = { file: bundleFiles.manifest, problem: "manifest damaged", message: error.message } as const;
    return { directory, files: 0, bytes: 0, problems: [problem] };
  }
  const problems = [...(await verifySeal(bundle)), ...(await verifyFiles(bundle))];
  const files = Object.values(bundle.manifest.files);
  const bytes = files.reduce((sum, file) => sum + file.bytes, 0);
  return { directory: bundle.directory, files: files.length, bytes, problems };
}

async function verifySeal(bundle: Bundle): Promise<BundleProblem[]> {
  if (await isSealIntact(bundle)) return [];
  const message = "its seal does not match: it was changed after the run";
  return [{ file: bundleFiles.manifest, problem: "manifest damaged", message }];
}

async function verifyFiles(bundle: Bundle): Promise<BundleProblem[]> {
  const problems: BundleProblem[] = [];
  const present = new Set(await listFiles(bundle.directory));
  present.delete(bundleFiles.manifest);
  for (const [file, expected] of Object.entries(bundle.manifest.files)) {
    if (!present.delete(file)) {
      problems.push({ file, problem: "missing", message: "in the manifest, but not in the directory" });
      continue;
    }
    const found = await digestFile(join(bundle.directory, file));
    if (found.bytes !== expected.bytes) {
      problems.push({
        file,
        problem: "size differs",
        message: `${found.bytes} bytes, ${expected.bytes} in the manifest`,
      });
    } else if (found.sha256 !== expected.sha256) {
      problems.push({
        file,
        problem: "content differs",
        message: `sha256 ${found.sha256}, ${expected.sha256} in the manifest`,
      });
    }
  }
  for (const file of present)
    problems.push({ file, problem: "extra", message: "in the directory, but not in the manifest" });
  return problems;
}

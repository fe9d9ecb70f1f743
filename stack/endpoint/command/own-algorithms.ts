/** Algorithms of the command line: those of one's own stand there as the path of a module. */
import { resolve } from "node:path";
import { pathToFileURL } from "node:url";
import type { AlgorithmChoices } from "../../host-options.ts";
import { isModulePath } from "../module-path.ts";
import { UsageError } from "./failure.ts";

/**
 * The names as they are, and what the modules export under `congestionControl`, `scheduler` or `pathManager`: a function that makes one.
 * @throws UsageError for a module that cannot be loaded, or has no such export
 */
export async function loadAlgorithms(
  given: Readonly<Record<keyof AlgorithmChoices, string>>,
): Promise<AlgorithmChoices> {
  const { congestionControl, scheduler, pathManager } = given;
  return {
    congestionControl: await load("congestionControl", congestionControl),
    scheduler: await load("scheduler", scheduler),
    pathManager: await load("pathManager", pathManager),
  };
}

async function load<Key extends keyof AlgorithmChoices>(key: Key, text: string): Promise<AlgorithmChoices[Key]> {
  // Names were checked when the command line was read.
  if (!isModulePath(text)) return text as AlgorithmChoices[Key];
  let exported: Readonly<Record<string, unknown>>;
  try {
    exported = (await import(pathToFileURL(resolve(text)).href)) as Readonly<Record<string, unknown>>;
  } catch (error) {
    throw new UsageError(`${text}: ${(error as Error).message}; expected an ES module that exports ${key}`, {
      cause: error,
    });
  }
  if (typeof exported[key] === "function") return exported[key] as AlgorithmChoices[Key];
  const found = Object.keys(exported).join(", ") || "nothing";
  throw new UsageError(`${text} exports ${found}, expected ${key}, a function that makes one`);
}

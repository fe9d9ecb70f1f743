import { type AlgorithmChoices, ConfigurationError } from "../../host-options.ts";
import type { AlgorithmTexts } from "../protocol.ts";

let imported = 0;

/**
 * Algorithms of modules that are given as text and are whole in themselves. Each call evaluates them anew, so that what hosts of one simulation, or two runs
 * after each other, keep in a module stays apart, as it does where each host is a process.
 * @throws ConfigurationError for an export that is no function; what a module itself throws
 */
export async function importAlgorithms(modules: AlgorithmTexts): Promise<Partial<AlgorithmChoices>> {
  const instance = imported++;
  const made = Object.entries(modules).map(async ([key, text]) => {
    // The loader knows a module by its whole address: the fragment makes it another one.
    const url = `data:text/javascript;base64,${Buffer.from(text).toString("base64")}#${instance}`;
    const exports = (await import(url)) as Readonly<Record<string, unknown>>;
    if (typeof exports[key] !== "function")
      throw new ConfigurationError(key, `the module's export ${key} is no function that makes one`);
    return [key, exports[key]] as const;
  });
  return Object.fromEntries(await Promise.all(made));
}

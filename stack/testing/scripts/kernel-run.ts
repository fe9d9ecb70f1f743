/** Runs scripts on the kernel of this machine, several at once: they mostly wait. */

import { readFileSync } from "node:fs";
import { join } from "node:path";
import { runScript } from "../packetdrill/interpreter.ts";
import { KernelBackEnd } from "../packetdrill/kernel/kernel-back-end.ts";
import type { Latitude } from "../packetdrill/latitude.ts";
import { parseScript } from "../packetdrill/parse-script.ts";
import { ScriptFailure, ScriptUnsupported } from "../packetdrill/script-error.ts";

export type KernelOutcome =
  /** As on the pure stack, but for what the RFCs leave open. */
  | { result: "same"; latitudes: Latitude[] }
  | { result: "different"; message: string }
  /** It asks for what this back end cannot do. */
  | { result: "not run"; message: string };

/** A script that lasts longer is not for real time. */
const longestScriptSeconds = 240;

/** At least as long as this the script lasts. */
export function secondsOf(file: string): number {
  const { statements } = parseScript(textOf(file), file);
  let end = 0;
  for (const { time } of statements) if (time.kind === "at") end = (time.relative ? end : 0) + time.from;
  return end / 1_000_000;
}

function textOf(file: string): string {
  return readFileSync(join(import.meta.dirname, file), "utf8");
}

/** A machine that is busy makes differences of time: only what is different each time is one. */
const attempts = 6;
/** Longer scripts look at seconds, not at milliseconds. */
const longestRepeatedSeconds = 35;

async function runOnKernel(file: string): Promise<KernelOutcome> {
  const seconds = secondsOf(file);
  if (seconds > longestScriptSeconds)
    return { result: "not run", message: `it lasts ${Math.round(seconds)} s, which only virtual time has` };
  let outcome = await attempt(file);
  const most = seconds > longestRepeatedSeconds ? 1 : attempts;
  for (let i = 1; i < most && outcome.result === "different"; i++) outcome = await attempt(file);
  return outcome;
}

async function attempt(file: string): Promise<KernelOutcome> {
  let machine: KernelBackEnd | undefined;
  try {
    await runScript(textOf(file), file, async (configuration) => (machine = await KernelBackEnd.start(configuration)));
    return { result: "same", latitudes: [...(machine?.latitudes ?? [])].sort() };
  } catch (error) {
    if (error instanceof ScriptFailure) return { result: "different", message: error.message };
    if (error instanceof ScriptUnsupported) return { result: "not run", message: error.message };
    throw error;
  }
}

/** `atOnce` scripts at a time, the longest first; each outcome as soon as it is there. */
export function runAllOnKernel(files: readonly string[], atOnce: number): Map<string, Promise<KernelOutcome>> {
  const waiting = [...files].sort((a, b) => secondsOf(b) - secondsOf(a));
  const outcomes = new Map<string, PromiseWithResolvers<KernelOutcome>>(
    files.map((file) => [file, Promise.withResolvers<KernelOutcome>()]),
  );
  const work = async (): Promise<void> => {
    for (let file = waiting.shift(); file !== undefined; file = waiting.shift()) {
      const { resolve, reject } = outcomes.get(file)!;
      await runOnKernel(file).then(resolve, reject);
    }
  };
  for (let i = 0; i < atOnce; i++) void work();
  return new Map([...outcomes].map(([file, { promise }]) => [file, promise]));
}

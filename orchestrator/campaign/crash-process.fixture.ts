/** Runs as processes of their own, to be killed. */
import { spawn } from "node:child_process";
import type { ChildProcess } from "node:child_process";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { readJournals } from "../journal/journal.ts";

export interface Ended {
  readonly lab: string;
  readonly code: number | null;
  readonly signal: string | null;
}

export async function crashAt(position: number, state: string, directory: string): Promise<Ended> {
  const fixture = fileURLToPath(new URL("./crash.fixture.ts", import.meta.url));
  const child = spawn(process.execPath, [fixture, String(position), state, directory], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  let said = "";
  child.stdout.setEncoding("utf8").on("data", (text: string) => (said += text));
  const { code, signal } = await endOf(child);
  return { lab: /lab (\w+)/.exec(said)?.[1] ?? "", code, signal };
}

/** `pathlab run` with a signal when its workloads run. `unread`: nobody reads its output any more by then. */
export async function interruptRun(
  experiment: string,
  interrupt: NodeJS.Signals,
  state: string,
  directory: string,
  unread = false,
): Promise<Ended> {
  const program = fileURLToPath(new URL("../cli/main.ts", import.meta.url));
  const child = spawn(process.execPath, [program, "run", experiment, "--out", join(directory, "results")], {
    stdio: ["ignore", "ignore", "pipe"],
    env: { ...process.env, PATHLAB_STATE: state },
  });
  let lab = "";
  let said = "";
  child.stderr.setEncoding("utf8").on("data", (text: string) => {
    said += text;
    if (lab !== "" || !said.includes("running ")) return;
    lab = readJournals(state)[0]?.lab ?? "";
    if (unread) child.stderr.destroy();
    child.kill(interrupt);
  });
  const { code, signal } = await endOf(child);
  return { lab, code, signal };
}

function endOf(child: ChildProcess): Promise<{ code: number | null; signal: string | null }> {
  return new Promise((resolve) => {
    child.once("close", (code, signal) => resolve({ code, signal }));
  });
}

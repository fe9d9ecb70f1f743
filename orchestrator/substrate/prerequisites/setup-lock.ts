import { spawn } from "node:child_process";
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { stateDirectory } from "../../journal/state-directory.ts";

/**
 * Runs `action` while nobody else on this machine sets up. The lock is flock(1)'s, held by a child whose standard input is a pipe from us: however we end,
 * the kernel lets go of it.
 */
export async function whileAlone<T>(action: () => Promise<T>, onWait: () => void): Promise<T> {
  mkdirSync(stateDirectory(), { recursive: true });
  const file = join(stateDirectory(), "setup.lock");
  const holder = spawn("flock", [file, "sh", "-c", "echo locked; cat"], {
    stdio: ["pipe", "pipe", "ignore"],
    detached: true,
  });
  const gone = new Promise<void>((resolve) => holder.once("close", () => resolve()));
  const waiting = setTimeout(onWait, 500);
  try {
    await new Promise<void>((resolve, reject) => {
      holder.once("error", reject);
      holder.once("exit", () => reject(new Error(`cannot lock ${file}`)));
      holder.stdout.once("data", () => resolve());
    });
    clearTimeout(waiting);
    return await action();
  } finally {
    clearTimeout(waiting);
    holder.stdin.end();
    await gone;
  }
}

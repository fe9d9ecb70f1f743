/** Commands of iproute2. */

import { execFile } from "node:child_process";
import { promisify } from "node:util";

export const run: (file: string, args: readonly string[]) => Promise<unknown> = promisify(execFile);

/** Lines for `ip`, in order; an error in one is an error of all. */
export async function ipBatch(lines: readonly string[], namespace?: string): Promise<void> {
  const child = promisify(execFile)("ip", [...(namespace === undefined ? [] : ["-n", namespace]), "-batch", "-"]);
  child.child.stdin!.end(`${lines.join("\n")}\n`);
  await child;
}

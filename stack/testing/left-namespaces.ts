/** Network namespaces of tests. A name is a prefix of its test file and the process's id; what was killed left its behind, and the next run takes them away. */

import { execFileSync } from "node:child_process";
import { existsSync, readdirSync } from "node:fs";

const namespaceDirectory = "/run/netns";

/**
 * Removes the namespaces `<prefix><pid>…` of processes that are gone, and answers their names.
 * @param prefix nobody else's
 */
export function removeLeftNamespaces(prefix: string): string[] {
  if (!existsSync(namespaceDirectory)) return [];
  const pattern = new RegExp(`^${prefix}([0-9]+)([a-z].*)?$`);
  const left = readdirSync(namespaceDirectory).filter((name) => {
    const pid = pattern.exec(name)?.[1];
    return pid !== undefined && !existsSync(`/proc/${pid}`);
  });
  return left.filter(remove);
}

/** False: another run has taken it away in the meantime. @throws Error when it stays */
function remove(name: string): boolean {
  try {
    execFileSync("ip", ["netns", "del", name], { stdio: "pipe" });
    return true;
  } catch (error) {
    if (existsSync(`${namespaceDirectory}/${name}`)) throw error;
    return false;
  }
}

import { homedir } from "node:os";
import { join, resolve } from "node:path";

/** Where journals, locks and our own Docker daemon's files live: `$PATHLAB_STATE`, else the system's place for root, else the user's (XDG base directories). */
export function stateDirectory(environment: NodeJS.ProcessEnv = process.env): string {
  if (environment["PATHLAB_STATE"]) return resolve(environment["PATHLAB_STATE"]);
  if (process.getuid?.() === 0) return "/var/lib/pathlab";
  return join(environment["XDG_STATE_HOME"] ?? join(homedir(), ".local/state"), "pathlab");
}

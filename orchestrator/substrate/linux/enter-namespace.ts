import { type CommandOptions, runCommand } from "../../journal/run-command.ts";

/**
 * A namespace has one sysfs, however often it is mounted, and Docker has made a container's read-only: our own view of it is made writable, the
 * container's stays as it is.
 */
const ownSysfs = "mount -t sysfs sysfs /sys; mount -o remount,rw /sys";

/** Runs a shell script (`sh -eu`) with the network of the namespace at `path`; /sys shows that namespace's devices, all else is the machine's. */
export function runInNamespace(
  path: string,
  script: string,
  options: Omit<CommandOptions, "input"> = {},
): Promise<string> {
  return runCommand(
    ["nsenter", `--net=${path}`, "unshare", "--mount", "sh", "-euc", `${ownSysfs}\n${script}`],
    options,
  );
}

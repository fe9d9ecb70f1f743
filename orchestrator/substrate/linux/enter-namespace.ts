import { type CommandOptions, runCommand } from "../../journal/run-command.ts";

/** Runs a shell script (`sh -eu`) with the network of the namespace at `path`; /sys shows that namespace's devices, all else is the machine's. */
export function runInNamespace(path: string, script: string, options: Omit<CommandOptions, "input"> = {}): Promise<string> {
  return runCommand(["nsenter", `--net=${path}`, "unshare", "--mount", "sh", "-euc", `mount -t sysfs sysfs /sys\n${script}`], options);
}

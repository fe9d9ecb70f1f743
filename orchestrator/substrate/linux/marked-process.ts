import { type ChildProcess, spawn } from "node:child_process";
import type { Readable, Writable } from "node:stream";
import { labMark, markedProcesses, processMark } from "../../journal/process-identity.ts";
import type { LabCommand, LabProcess } from "../../workload/lab-process.ts";

/** The environment by which a process of a lab, and all that it starts, is found again. `process` is unlike any other's of the lab. */
export function marksOf(lab: string, process: string): Record<string, string> {
  return { [labMark]: lab, [processMark]: process };
}

/**
 * Signals every process with these marks: what a process started may have left its group, changed its parent, or live in a container's own numbering of
 * processes; its environment stays. Answers how many there were.
 */
export function signalMarked(marks: Readonly<Record<string, string>>, signal: NodeJS.Signals): number {
  const pids = markedProcesses(marks);
  for (const pid of pids) {
    try {
      process.kill(pid, signal);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "ESRCH") throw error;
    }
  }
  return pids.length;
}

/** Of programs that write their title over their environment (nginx does) nothing is left but the process group. `pid`: of one that has not been waited for. */
export function signalGroup(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(-pid, signal);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ESRCH") throw error;
  }
}

/** Starts a program in the network namespace at `path`. */
export function spawnInNamespace(
  path: string,
  command: LabCommand,
  marks: Readonly<Record<string, string>>,
): Promise<LabProcess> {
  return spawnMarked({ ...command, argv: ["nsenter", `--net=${path}`, "--", ...command.argv] }, marks);
}

/** Starts a program. Its standard input is a pipe from us, so one that reads it learns of our death at once; what does not is found by its marks. */
export function spawnMarked(command: LabCommand, marks: Readonly<Record<string, string>>): Promise<LabProcess> {
  const [program, ...args] = command.argv;
  const child = spawn(program, args, {
    detached: true,
    ...(command.directory !== undefined && { cwd: command.directory }),
    env: { ...process.env, ...command.environment, ...marks },
    stdio: ["pipe", "pipe", "pipe"],
  });
  return new Promise((resolve, reject) => {
    child.once("error", reject);
    child.once("spawn", () => resolve(labProcess(command.name, child, marks)));
  });
}

function labProcess(
  name: string,
  child: ChildProcess & { stdin: Writable; stdout: Readable; stderr: Readable },
  marks: Readonly<Record<string, string>>,
): LabProcess {
  const exited = new Promise<{ code: number | null; signal: string | null }>((resolve) => {
    child.once("exit", (code, signal) => resolve({ code, signal }));
  });
  // Writing to a program that has ended is told by `exited`, not by an exception.
  child.stdin.on("error", () => undefined);
  return {
    name,
    stdin: child.stdin,
    stdout: child.stdout,
    stderr: child.stderr,
    exited,
    kill: async (signal) => {
      if (signalMarked(marks, signal) > 0) return;
      if (child.pid !== undefined && child.exitCode === null && child.signalCode === null)
        signalGroup(child.pid, signal);
    },
  };
}

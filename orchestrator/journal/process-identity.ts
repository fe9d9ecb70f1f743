/**
 * Who a process is: pids come round again, so a pid alone names nobody. Pid, start time (field 22 of /proc/<pid>/stat, in clock ticks since boot) and the
 * boot they count from name one process for ever.
 */
import { readFileSync, readdirSync } from "node:fs";

export interface ProcessIdentity {
  readonly pid: number;
  /** Clock ticks since boot. */
  readonly startTime: number;
  readonly bootId: string;
}

/** Every process of a lab carries this variable, and so do its children: the mark by which it is found when nobody wrote its pid down. */
export const labMark = "PATHLAB_LAB";
/** Which process of the lab it is, unlike any other's of the lab. */
export const processMark = "PATHLAB_PROCESS";

let cachedBootId: string | undefined;

export function bootId(): string {
  cachedBootId ??= readFileSync("/proc/sys/kernel/random/boot_id", "utf8").trim();
  return cachedBootId;
}

export function ownIdentity(): ProcessIdentity {
  const startTime = startTimeOf(process.pid);
  if (startTime === undefined) throw new Error("/proc does not show this process: is it mounted?");
  return { pid: process.pid, startTime, bootId: bootId() };
}

export function isAlive(identity: ProcessIdentity): boolean {
  return identity.bootId === bootId() && startTimeOf(identity.pid) === identity.startTime;
}

/** Undefined when there is no such process, or when it is a zombie, which holds nothing any more. */
export function startTimeOf(pid: number): number | undefined {
  const fields = statFields(pid);
  return fields === undefined || fields[0] === "Z" || fields[0] === "X" ? undefined : Number(fields[19]);
}

/** The fields of /proc/<pid>/stat after the program's name, which may itself hold spaces and parentheses: state, parent's pid, … */
function statFields(pid: number): string[] | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, "latin1");
    return stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  } catch {
    return undefined;
  }
}

/**
 * Pids of living processes whose environment holds all of `marks`; never this process nor its ancestors (a person may call us from a shell inside a lab).
 * @param notBefore Start time of the lab's owner: nothing that is older can be the lab's.
 */
export function markedProcesses(marks: Readonly<Record<string, string>>, notBefore = 0): number[] {
  const wanted = Object.entries(marks).map(([name, value]) => `\0${name}=${value}\0`);
  const spared = ownLineage();
  const found: number[] = [];
  for (const name of readdirSync("/proc")) {
    const pid = Number(name);
    if (!Number.isInteger(pid) || spared.has(pid)) continue;
    let environment: string;
    try {
      environment = `\0${readFileSync(`/proc/${pid}/environ`, "latin1")}\0`;
    } catch {
      continue;
    }
    if (!wanted.every((mark) => environment.includes(mark))) continue;
    const startTime = startTimeOf(pid);
    if (startTime !== undefined && startTime >= notBefore) found.push(pid);
  }
  return found;
}

/** This process and its ancestors. */
export function ownLineage(): Set<number> {
  const lineage = new Set<number>();
  for (let pid = process.pid; pid > 0 && !lineage.has(pid);) {
    lineage.add(pid);
    pid = Number(statFields(pid)?.[1] ?? 0);
  }
  return lineage;
}

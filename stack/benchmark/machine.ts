/** The machine on which it is measured, and what it was busy with. */

import { readFileSync } from "node:fs";
import { cpus, loadavg, release, totalmem } from "node:os";

/** USER_HZ, in which /proc counts. */
const ticksPerSecond = 100;

export type ProcessorTimes = { busySeconds: number; interruptSeconds: number };

/** Of all processors since the machine began. */
export function processorTimes(): ProcessorTimes {
  const [user, nice, system, , , interrupt, softInterrupt] = readFileSync("/proc/stat", "utf8")
    .split("\n", 1)[0]!
    .split(/\s+/)
    .slice(1)
    .map((ticks) => Number(ticks) / ticksPerSecond) as [number, number, number, number, number, number, number];
  const interruptSeconds = interrupt + softInterrupt;
  return { busySeconds: user + nice + system + interruptSeconds, interruptSeconds };
}

export type Machine = { date: string; kernel: string; processors: string; memoryGigabytes: number; node: string };

export function describeMachine(): Machine {
  const processors = cpus();
  return {
    date: new Date().toISOString().slice(0, 16).replace("T", " "),
    kernel: release(),
    processors: `${processors.length} × ${processors[0]?.model ?? "unknown"}`,
    memoryGigabytes: Math.round(totalmem() / 2 ** 30),
    node: process.version,
  };
}

/** Processes that ran or wanted to, on average over the last minute. */
export function load(): number {
  return loadavg()[0]!;
}

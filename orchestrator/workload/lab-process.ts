import type { Readable, Writable } from "node:stream";
import type { Plan } from "../plan/plan.ts";

/** What runs programs inside the nodes of a plan. */
export interface ProcessHost {
  readonly plan: Plan;
  /** Starts a program inside a node. It is journalled, and ends with the lab. */
  spawn(node: string, command: LabCommand): Promise<LabProcess>;
  /** Path of the node's network namespace (`/run/netns/…` or `/proc/<pid>/ns/net`), for captures and measurements. */
  networkNamespace(node: string): string;
}

export interface LabCommand {
  readonly name: string;
  readonly argv: readonly [string, ...string[]];
  readonly environment?: Readonly<Record<string, string>>;
  /** Where it runs; ours when left out. */
  readonly directory?: string;
}

export interface LabProcess {
  readonly name: string;
  readonly stdin: Writable;
  readonly stdout: Readable;
  readonly stderr: Readable;
  readonly exited: Promise<{ readonly code: number | null; readonly signal: string | null }>;
  /** Signals the process (and what it started). */
  kill(signal: NodeJS.Signals): Promise<void>;
}

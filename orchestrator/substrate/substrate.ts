/**
 * A substrate makes a plan real: nodes exist, links carry packets, processes run inside nodes. Every implementation passes `describeSubstrate`.
 */
import type { Readable, Writable } from "node:stream";
import type { LinkDirectionConfig } from "../path/link-direction.ts";
import type { Plan } from "../plan/plan.ts";
import type { Journal } from "../journal/journal.ts";
import type { SubstrateName } from "../model/experiment.ts";

export interface Substrate {
  readonly name: SubstrateName;
  /**
   * Creates everything that the plan names, each thing journalled first. When it fails or `signal` aborts, it has taken everything down again. The journal is
   * its creator's to remove, after `down`.
   */
  up(plan: Plan, journal: Journal, observer: LabObserver, signal?: AbortSignal): Promise<Lab>;
}

/** What a lab tells while it lives; the run writes it to the timeline and to the metrics. */
export interface LabObserver {
  /** One line of progress for a person. */
  progress(message: string): void;
  /** A part of the lab died or complained: `source` is a node's or process's name. */
  problem(source: string, message: string): void;
  linkSample(sample: LinkSample): void;
}

/** Counters are totals since the link came up. `time` is CLOCK_MONOTONIC microseconds. */
export interface LinkSample {
  readonly time: number;
  readonly link: string;
  readonly direction: "forward" | "backward";
  readonly packets: number;
  readonly bytes: number;
  readonly dropsQueue: number;
  readonly dropsLoss: number;
  readonly dropsBlackhole: number;
  readonly queueBytes: number;
}

export interface Lab {
  readonly plan: Plan;
  /** Path of the node's network namespace (`/run/netns/…` or `/proc/<pid>/ns/net`), for captures and measurements. */
  networkNamespace(node: string): string;
  /** Starts a program inside a node. It is journalled, and ends with the lab. */
  spawn(node: string, command: LabCommand): Promise<LabProcess>;
  /** Starts a program outside of all nodes, on the machine itself: what observes the lab. It is journalled, and ends with the lab. */
  spawnBeside(command: LabCommand): Promise<LabProcess>;
  readonly links: LinkControl;
  /** An interface event that the host sees, as when a cable is pulled: `ip link set dev I down|up` with routes restored on up. */
  setInterface(node: string, interfaceName: string, state: "up" | "down"): Promise<void>;
  /** Takes everything down. May be called twice. */
  down(): Promise<void>;
}

export interface LabCommand {
  readonly name: string;
  readonly argv: readonly [string, ...string[]];
  readonly environment?: Readonly<Record<string, string>>;
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

export interface LinkControl {
  /** Drops every packet of the link in both directions, silently. */
  blackhole(link: string): Promise<void>;
  restore(link: string): Promise<void>;
  /** Changes one direction while it carries packets; the queue stays. */
  set(link: string, direction: "forward" | "backward", config: LinkDirectionConfig): Promise<void>;
  /** Begins samples to `LabObserver.linkSample`. */
  sampleEvery(microseconds: number): Promise<void>;
  /** How well links kept their times: lateness of releases in microseconds, and the scheduling class that was had. */
  quality(): Promise<LinkQuality>;
}

export interface LinkQuality {
  readonly realisation: string;
  readonly scheduling: string;
  readonly releases: number;
  readonly latenessMicroseconds: { readonly p50: number; readonly p99: number; readonly max: number };
}

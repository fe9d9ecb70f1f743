/**
 * A substrate makes a plan real: nodes exist, links carry packets, processes run inside nodes. Every implementation passes `describeSubstrate`.
 */
import type { Plan } from "../plan/plan.ts";
import type { FaultTarget, LinkFaults } from "../fault/fault-timeline.ts";
import type { LinkSample } from "../metrics/link-sample.ts";
import type { LabCommand, LabProcess, ProcessHost } from "../workload/lab-process.ts";
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

export interface Lab extends ProcessHost, FaultTarget {
  /** Starts a program outside of all nodes, on the machine itself: what observes the lab. It is journalled, and ends with the lab. */
  spawnBeside(command: LabCommand): Promise<LabProcess>;
  readonly links: LinkControl;
  /** Takes everything down. May be called twice. */
  down(): Promise<void>;
}

export interface LinkControl extends LinkFaults {
  /** Traces begin at this time of the monotonic clock, which is still to come; until then their links have the mean rate. */
  beginTraces(timeMicroseconds: number): Promise<void>;
  /** Samples to `LabObserver.linkSample`, the first of them at once, before this resolves; 0: none after that. */
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

/** One line of `events.ndjson`: what happened in the run, when, and why. */
export interface TimelineEvent {
  /** Microseconds since the run's zero (the moment from which workloads and faults count). Negative before it. */
  readonly time: number;
  readonly source: "lab" | "link" | "fault" | "workload" | "endpoint";
  /** The node, link or workload that it is about. */
  readonly subject: string;
  /** `fault:blackhole`, `mptcp:subflow-established`, `workload:stall` … */
  readonly name: string;
  /** One sentence for a person. */
  readonly message: string;
  readonly detail?: Readonly<Record<string, unknown>>;
  /** The RFC section that decides, where the stack decided. */
  readonly section?: string;
}

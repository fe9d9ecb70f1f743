/** What a run says while it goes on, on its way into the bundle, and what became of each workload. */
import type { StackEvent } from "../../stack/events.ts";
import { qlogEvent, qlogHeader, type QlogSource } from "../../stack/qlog.ts";
import type { SubflowMetrics } from "../../stack/endpoint/protocol.ts";
import type { BundleWriter } from "../bundle/bundle-writer.ts";
import type { RunRecord } from "../bundle/manifest.ts";
import type { FlowRecord, ResultsRecord, WorkloadOutcome } from "../bundle/records.ts";
import type { MetricSample } from "../metrics/metric-sample.ts";
import type { TimelineEvent } from "../metrics/timeline-event.ts";
import type { Plan } from "../plan/plan.ts";
import { FlowLedger } from "./flow-ledger.ts";
import type { WorkloadFailure, WorkloadRole, WorkloadSink } from "../workload/run-workloads.ts";

type Writable<Record> = { -readonly [Key in keyof Record]: Record[Key] };

export interface RunRecorderOptions {
  readonly plan: Plan;
  readonly bundle: BundleWriter;
  readonly progress: (message: string) => void;
  /** Microseconds since the run's zero. */
  readonly now: () => number;
}

/** For a person: the flows of one traffic are not told one by one. */
export function workloadNames({ workloads }: Plan): string {
  return [
    ...new Set(workloads.map((workload) => (workload.kind === "bulk" && workload.traffic) || workload.name)),
  ].join(", ");
}

function tracedHosts({ experiment, nodes, workloads }: Plan): QlogSource[] {
  return nodes
    .filter(({ endpoint }) => endpoint?.options?.trace !== undefined)
    .map(({ name }) => {
      const opens = workloads.some(({ client }) => client === name);
      const role = opens ? "client" : workloads.some(({ server }) => server === name) ? "server" : "unknown";
      return { title: experiment, host: name, role };
    });
}

export class RunRecorder implements WorkloadSink {
  readonly #options: RunRecorderOptions;
  readonly #outcomes = new Map<string, Writable<WorkloadOutcome>>();
  readonly #ledger: FlowLedger;
  readonly #traced = new Set<string>();
  #deadlinePassed = false;

  constructor(options: RunRecorderOptions) {
    this.#options = options;
    this.#ledger = new FlowLedger(options.plan);
    for (const source of tracedHosts(options.plan)) {
      this.#traced.add(source.host);
      options.bundle.trace(source.host, qlogHeader(source));
    }
    for (const { name } of options.plan.workloads) this.#outcomes.set(name, { workload: name, errors: [] });
  }

  /** What each transfer came to so far. */
  get flows(): FlowRecord[] {
    return this.#ledger.records([...this.#outcomes.values()]);
  }

  get results(): ResultsRecord {
    return { workloads: [...this.#outcomes.values()] };
  }

  /** How a run has ended that met `error`, or none. */
  ended(error: Error | undefined, signal: AbortSignal): RunRecord["ended"] {
    if (error === undefined) return this.#deadlinePassed ? "deadline" : "completed";
    return signal.aborted ? "interrupted" : "failed";
  }

  event(event: TimelineEvent): void {
    this.#options.bundle.event(event);
  }

  sample(sample: MetricSample): void {
    this.#options.bundle.metric(sample);
  }

  stackEvent(host: string, event: StackEvent): void {
    if (this.#traced.has(host)) this.#options.bundle.trace(host, qlogEvent(event));
  }

  result(workload: string, role: WorkloadRole, result: NonNullable<WorkloadOutcome["client"]>): void {
    this.#outcomes.get(workload)![role] = result;
  }

  connection(workload: string, host: string, subflows: readonly SubflowMetrics[]): void {
    this.#ledger.sampled(workload, host, subflows);
  }

  failure({ workload, role, host, code, message }: WorkloadFailure): void {
    this.#options.progress(`${host}: ${workload ?? "endpoint"}: ${message} (${code})`);
    if (code === "ETIME") this.#deadlinePassed = true;
    this.labEvent(host, "lab:failure", message, { code, ...(workload === undefined ? {} : { workload }) });
    const outcome = workload === undefined ? undefined : this.#outcomes.get(workload);
    if (outcome !== undefined) outcome.errors = [...outcome.errors, { role: role ?? "client", code, message }];
  }

  labEvent(subject: string, name: string, message: string, detail?: Readonly<Record<string, unknown>>): void {
    this.event({
      time: this.#options.now(),
      source: "lab",
      subject,
      name,
      message,
      ...(detail === undefined ? {} : { detail }),
    });
  }
}

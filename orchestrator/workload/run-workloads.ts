import type { StackEvent } from "../../stack/events.ts";
import { callAt } from "../../stack/endpoint/clock.ts";
import type { EndpointRecord, SubflowMetrics, WorkloadResult } from "../../stack/endpoint/protocol.ts";
import type { MetricSample } from "../metrics/metric-sample.ts";
import type { TimelineEvent } from "../metrics/timeline-event.ts";
import { isApplication } from "../model/experiment.ts";
import type { Plan, PlannedApplication, PlannedWorkload } from "../plan/plan.ts";
import { Applications, type ApplicationSink } from "./application/applications.ts";
import { type ProgramResult, sinceZero } from "./application/program-result.ts";
import {
  endpointCommand,
  endpointNodes,
  startCommand,
  workloadDescription,
  type EndpointPrograms,
} from "./endpoint-launch.ts";
import { EndpointError, EndpointSession } from "./endpoint-session.ts";
import type { ProcessHost } from "./lab-process.ts";
import { RecordTranslator } from "./record-translation.ts";

export type WorkloadRole = "client" | "server";

export interface WorkloadFailure {
  /** Absent: the endpoint of `host` itself failed, after its workloads were over. */
  readonly workload?: string;
  readonly role?: WorkloadRole;
  readonly host: string;
  /** node:net's code; EEXIT: the endpoint ended; ETIME: the deadline passed. */
  readonly code: string;
  readonly message: string;
}

/** Where what was observed goes; all times are microseconds since the run's zero. */
export interface WorkloadSink {
  event(event: TimelineEvent): void;
  sample(sample: MetricSample): void;
  /** Of our stack, on the run's time: notable events, and, of hosts that are traced, each decision. */
  stackEvent(host: string, event: StackEvent): void;
  result(workload: string, role: WorkloadRole, result: WorkloadResult | ProgramResult): void;
  /** The subflows of a workload's connection as this host knows them, now and then, and where it costs little at the workload's end. */
  connection(workload: string, host: string, subflows: readonly SubflowMetrics[]): void;
  failure(failure: WorkloadFailure): void;
}

/** An endpoint that takes longer is not starting: its machine hangs. */
const startMicroseconds = 20_000_000;

/**
 * Starts an endpoint program in each host and has its servers listen. Rejects with EndpointError (all are ended again), or with the signal's reason.
 */
export async function startEndpoints(
  lab: ProcessHost,
  programs: EndpointPrograms,
  signal: AbortSignal,
): Promise<Endpoints> {
  const endpoints = new Endpoints(lab, programs);
  try {
    await endpoints.startApplications(signal);
    await endpoints.start(lab, programs, AbortSignal.any([signal, AbortSignal.timeout(startMicroseconds / 1000)]));
    return endpoints;
  } catch (error) {
    await endpoints.stop();
    throw error;
  }
}

/** Endpoint programs of a lab that are ready: `run` once, then `stop`. */
export class Endpoints {
  readonly #plan: Plan;
  readonly #applications: Applications;
  readonly #sessions = new Map<string, EndpointSession>();
  /** What endpoints said before there was a zero to count from. */
  readonly #early: { readonly host: string; readonly record: EndpointRecord }[] = [];

  constructor(lab: ProcessHost, programs: EndpointPrograms) {
    this.#plan = lab.plan;
    this.#applications = new Applications(lab, programs);
  }

  /** What each host's endpoint last wrote to its stderr, and what applications wrote. */
  get logs(): Readonly<Record<string, string>> {
    const endpoints = [...this.#sessions].map(([host, session]) => [host, session.stderrTail]);
    return { ...Object.fromEntries(endpoints), ...this.#applications.logs };
  }

  startApplications(signal: AbortSignal): Promise<void> {
    return this.#applications.start(signal);
  }

  async start(lab: ProcessHost, programs: EndpointPrograms, signal: AbortSignal): Promise<void> {
    const nodes = endpointNodes(this.#plan.nodes).filter(({ name }) => !this.#servesApplicationsOnly(name));
    await settle(
      nodes.map(async (node) => {
        const session = new EndpointSession(node.name, await lab.spawn(node.name, endpointCommand(node, programs)));
        this.#sessions.set(node.name, session);
        session.onRecord = (record) => this.#early.push({ host: node.name, record });
        const ready = session.next(({ type }) => type === "ready", signal);
        session.say(startCommand(node, this.#plan.seed, this.#plan.metricsIntervalMicroseconds));
        await ready;
      }),
    );
    await settle(this.#transfers.map((workload) => this.#listen(workload, signal)));
  }

  /**
   * Clients begin at `zero` (CLOCK_MONOTONIC microseconds) plus their workload's start. Resolves when every workload is complete on both sides, has
   * failed, or the deadline has passed. Rejects with the signal's reason.
   */
  async run(zero: number, sink: WorkloadSink, signal: AbortSignal): Promise<void> {
    signal.throwIfAborted();
    const run = new WorkloadRun(this.#plan, zero, sink);
    for (const { host, record } of this.#early.splice(0)) run.record(host, record);
    for (const session of this.#sessions.values()) {
      session.onRecord = (record) => run.record(session.host, record);
      void session.ended.then((error) => error && run.endpointEnded(error));
    }
    this.#applications.run(zero, run);
    for (const workload of this.#transfers) {
      const startAt = zero + workload.startMicroseconds;
      this.#session(workload.client).say({
        do: "workload",
        role: "client",
        workload: workloadDescription(workload),
        startAt,
      });
    }
    const aborted = (): void => run.abort(signal.reason as Error);
    signal.addEventListener("abort", aborted, { once: true });
    const cancelDeadline = callAt(zero + this.#plan.deadlineMicroseconds, () => run.deadlinePassed());
    try {
      await run.over;
    } finally {
      cancelDeadline();
      signal.removeEventListener("abort", aborted);
    }
  }

  /** Ends all endpoint programs. May be called twice. */
  async stop(): Promise<void> {
    await Promise.all([this.#applications.stop(), ...[...this.#sessions.values()].map((session) => session.stop())]);
  }

  get #transfers(): PlannedWorkload[] {
    return this.#plan.workloads.filter((workload) => !isApplication(workload));
  }

  /** Its addresses are a gateway's, or there is nothing that an endpoint program would do. */
  #servesApplicationsOnly(host: string): boolean {
    const own = this.#plan.workloads.filter(({ client, server }) => client === host || server === host);
    return own.length > 0 && own.every(isApplication);
  }

  async #listen(workload: PlannedWorkload, signal: AbortSignal): Promise<void> {
    const session = this.#session(workload.server);
    const answer = session.next(
      (record) => (record.type === "listening" || record.type === "error") && record.workload === workload.name,
      signal,
    );
    session.say({ do: "workload", role: "server", workload: workloadDescription(workload), startAt: 0 });
    const record = await answer;
    if (record.type === "error") throw new EndpointError(workload.server, record.code, record.message, true);
  }

  #session(host: string): EndpointSession {
    const session = this.#sessions.get(host);
    if (session === undefined) throw new Error(`the plan has no endpoint on ${host}`);
    return session;
  }
}

/** Which sides of which workloads are still out, and what they said. */
export class WorkloadRun implements ApplicationSink {
  readonly over: Promise<void>;
  readonly #plan: Plan;
  readonly #byName: ReadonlyMap<string, PlannedWorkload>;
  readonly #zero: number;
  readonly #sink: WorkloadSink;
  readonly #translator: RecordTranslator;
  readonly #pending = new Map<PlannedWorkload, Set<WorkloadRole>>();
  readonly #resolve: () => void;
  readonly #reject: (error: Error) => void;

  constructor(plan: Plan, zero: number, sink: WorkloadSink) {
    this.#plan = plan;
    this.#byName = new Map(plan.workloads.map((workload) => [workload.name, workload]));
    this.#zero = zero;
    this.#sink = sink;
    this.#translator = new RecordTranslator(plan, zero);
    // An application is over when its client has ended; its server is ended then.
    for (const workload of plan.workloads)
      this.#pending.set(workload, new Set(isApplication(workload) ? ["client"] : ["client", "server"]));
    ({ promise: this.over, resolve: this.#resolve, reject: this.#reject } = Promise.withResolvers<void>());
    this.#resolveWhenOver();
  }

  record(host: string, record: EndpointRecord): void {
    const { events, samples, trace } = this.#translator.translate(host, record);
    if (trace !== undefined) this.#sink.stackEvent(host, trace);
    for (const event of events) this.#sink.event(event);
    for (const sample of samples) this.#sink.sample(sample);
    if (record.type === "metrics" && record.workload !== undefined)
      this.#sink.connection(record.workload, host, record.subflows);
    if (record.type === "result") {
      this.#sink.result(record.workload, record.role, this.#translator.result(record.result));
      const workload = this.#workload(record.workload);
      this.#pending.get(workload)?.delete(record.role);
      if (this.#pending.get(workload)?.size === 0) this.#pending.delete(workload);
    } else if (record.type === "error" && record.workload !== undefined) {
      const { code, message } = record;
      const workload = this.#workload(record.workload);
      this.#fail(workload, { role: host === workload.client ? "client" : "server", host, code, message });
    }
    this.#resolveWhenOver();
  }

  started(workload: PlannedApplication, at: number): void {
    this.#tell(workload, "program-started", at, `${workload.run.argv[0]} starts on ${workload.client}`);
  }

  ended(workload: PlannedApplication, result: ProgramResult): void {
    const { exitCode, signal, endedAt } = result;
    const how = signal ?? `exit code ${exitCode}`;
    this.#tell(workload, "program-ended", endedAt, `${workload.run.argv[0]} on ${workload.client} ends with ${how}`);
    this.#sink.result(workload.name, "client", sinceZero(result, this.#zero));
    if (exitCode === 0) this.#pending.delete(workload);
    this.#resolveWhenOver();
  }

  /** A server that fails leaves its client to say what that means for it. */
  failed(workload: PlannedApplication, role: WorkloadRole, code: string, message: string): void {
    const failure = { role, host: workload[role], code, message };
    if (role === "client") this.#fail(workload, failure);
    else this.#sink.failure({ workload: workload.name, ...failure });
    this.#resolveWhenOver();
  }

  carrierEnded(workload: PlannedApplication, role: WorkloadRole, message: string): void {
    this.#sink.failure({ workload: workload.name, role, host: workload[role], code: "EEXIT", message });
  }

  /** Without its endpoint, no workload of the host can end any more. */
  endpointEnded({ host, code, message }: EndpointError): void {
    const affected = [...this.#pending.keys()].filter(({ client, server }) => client === host || server === host);
    if (affected.length === 0) this.#sink.failure({ host, code, message });
    for (const workload of affected)
      this.#fail(workload, { role: host === workload.client ? "client" : "server", host, code, message });
    this.#resolveWhenOver();
  }

  deadlinePassed(): void {
    const seconds = this.#plan.deadlineMicroseconds / 1e6;
    for (const [workload, roles] of this.#pending) {
      for (const role of roles) {
        this.#fail(workload, {
          role,
          host: workload[role],
          code: "ETIME",
          message: `not complete at the deadline of ${seconds} s`,
        });
      }
    }
    this.#resolveWhenOver();
  }

  abort(reason: Error): void {
    this.#reject(reason);
  }

  #tell({ name, client }: PlannedApplication, what: string, at: number, message: string): void {
    this.#sink.event({
      time: at - this.#zero,
      source: "workload",
      subject: name,
      name: `workload:${what}`,
      message: `${name}: ${message}`,
      detail: { host: client },
    });
  }

  #fail(workload: PlannedWorkload, failure: Omit<WorkloadFailure, "workload">): void {
    this.#pending.delete(workload);
    this.#sink.failure({ workload: workload.name, ...failure });
  }

  #workload(name: string): PlannedWorkload {
    const workload = this.#byName.get(name);
    if (workload === undefined) throw new Error(`an endpoint speaks of a workload ${name} that the plan has not`);
    return workload;
  }

  #resolveWhenOver(): void {
    if (this.#pending.size === 0) this.#resolve();
  }
}

/** Waits for all even when one fails, so that nothing is still being started when the rest is ended; then rejects with the first failure. */
async function settle(tasks: readonly Promise<void>[]): Promise<void> {
  for (const outcome of await Promise.allSettled(tasks)) if (outcome.status === "rejected") throw outcome.reason;
}

/** A plan in virtual time: the endpoint programs with their workloads, the faults and the observation, all on one engine. */
import { EndpointProgram } from "../../../stack/endpoint/endpoint-program.ts";
import type { EndpointCommand } from "../../../stack/endpoint/protocol.ts";
import { importAlgorithms } from "../../../stack/endpoint/stack/import-algorithms.ts";
import { seededRandom } from "../../../stack/endpoint/stack/seeded-random.ts";
import { SocketTransport } from "../../../stack/endpoint/stack/socket-transport.ts";
import type { AlgorithmChoices, HostOptions } from "../../../stack/host-options.ts";
import { runFaults, type FaultClock, type FaultTarget } from "../../fault/fault-timeline.ts";
import type { TimelineEvent } from "../../metrics/timeline-event.ts";
import type { Plan, PlannedNode } from "../../plan/plan.ts";
import { endpointNodes, startCommand, workloadDescription, type EndpointNode } from "../../workload/endpoint-launch.ts";
import { EndpointError } from "../../workload/endpoint-session.ts";
import { WorkloadRun, type WorkloadSink } from "../../workload/run-workloads.ts";
import type { LinkSample } from "../../metrics/link-sample.ts";
import { ApplicationClock, Engine, SimulationError } from "./engine.ts";
import { collectByWholeSize } from "./garbage-collection.ts";
import { SimulatedCapture } from "./simulated-capture.ts";
import { SimulatedNetwork } from "./simulated-network.ts";

/** Where what was observed goes; all times are microseconds since the run's zero, which is that of the virtual clock. */
export interface SimulationSink extends WorkloadSink {
  linkSample(sample: LinkSample): void;
}

export interface SimulationOptions {
  readonly sink: SimulationSink;
  /** Written anew; nothing is captured without it. */
  readonly captureFile?: string;
  readonly signal: AbortSignal;
}

/** After the last workload: closing handshakes belong into the capture. */
const trailMicroseconds = 300_000;
/** The event loop gets a turn at least this often: for the file that is written, and for Ctrl-C. */
const eventsAtOnce = 20_000;

/** To be run once. */
export class Simulation {
  readonly #plan: Plan;
  readonly #engine = new Engine();

  /** `plan`: of the substrate `simulation`. */
  constructor(plan: Plan) {
    this.#plan = plan;
  }

  /** Virtual time, whole microseconds. */
  get now(): number {
    return Math.floor(this.#engine.now);
  }

  /** Things that were done, one at a time. */
  get events(): number {
    return this.#engine.events;
  }

  /** Rejects with SimulationError, ConfigurationError, CaptureFileError, FaultError, or the signal's reason. */
  async run(options: SimulationOptions): Promise<void> {
    const { captureFile } = options;
    collectByWholeSize();
    const capture =
      captureFile === undefined ? undefined : await SimulatedCapture.create(captureFile, this.#plan, this.#engine);
    try {
      const algorithms = await ownAlgorithms(this.#plan);
      await new RunningSimulation(this.#plan, this.#engine, options, capture, algorithms).run();
    } finally {
      await capture?.close();
    }
  }
}

type OwnAlgorithms = ReadonlyMap<string, Partial<AlgorithmChoices>>;

/** By name of the host, of those that have modules of one's own. */
async function ownAlgorithms(plan: Plan): Promise<OwnAlgorithms> {
  const imported = new Map<string, Partial<AlgorithmChoices>>();
  for (const node of endpointNodes(plan.nodes)) {
    const { transport } = startCommand(node, plan.seed, plan.metricsIntervalMicroseconds);
    if (transport.kind === "stack" && transport.modules)
      imported.set(node.name, await importAlgorithms(transport.modules));
  }
  return imported;
}

class RunningSimulation {
  readonly #plan: Plan;
  readonly #sink: SimulationSink;
  readonly #signal: AbortSignal;
  readonly #engine: Engine;
  readonly #clock: ApplicationClock;
  readonly #capture: SimulatedCapture | undefined;
  readonly #algorithms: OwnAlgorithms;
  readonly #network: SimulatedNetwork;
  readonly #workloads: WorkloadRun;
  readonly #programs = new Map<string, EndpointProgram>();
  #faultFailure: Error | undefined;

  constructor(
    plan: Plan,
    engine: Engine,
    { sink, signal }: SimulationOptions,
    capture: SimulatedCapture | undefined,
    algorithms: OwnAlgorithms,
  ) {
    this.#algorithms = algorithms;
    this.#plan = plan;
    this.#sink = sink;
    this.#signal = signal;
    this.#engine = engine;
    this.#clock = new ApplicationClock(engine);
    this.#capture = capture;
    this.#network = new SimulatedNetwork({
      engine,
      plan,
      hostOptions: (node) => this.#hostOptions(node),
      tapOf: (node) => capture?.tapOf(node),
      onProblem: (node, message) => this.#problem(node, message),
    });
    this.#workloads = new WorkloadRun(plan, 0, sink);
  }

  async run(): Promise<void> {
    for (const node of endpointNodes(this.#plan.nodes)) this.#start(node);
    await turn();
    for (const workload of this.#plan.workloads) {
      this.#say(workload.server, {
        do: "workload",
        role: "server",
        workload: workloadDescription(workload),
        startAt: 0,
      });
    }
    await turn();
    for (const workload of this.#plan.workloads) {
      const startAt = workload.startMicroseconds;
      this.#say(workload.client, { do: "workload", role: "client", workload: workloadDescription(workload), startAt });
    }
    this.#keepSamplingLinks();
    const over = new AbortController();
    const faults = this.#injectFaults(AbortSignal.any([this.#signal, over.signal]));
    this.#clock.callAt(this.#plan.deadlineMicroseconds, () => this.#workloads.deadlinePassed());
    let isOver = false;
    void this.#workloads.over.then(() => (isOver = true));
    try {
      await this.#advance(Infinity, () => isOver);
      await this.#advance(this.#engine.now + trailMicroseconds, () => false);
      this.#sampleLinks();
    } finally {
      over.abort(new Error("the workloads are over"));
      await faults;
      for (const program of this.#programs.values()) await program.stop();
    }
  }

  /** Lets time go on until `until` or until `isOver`, with as much for the programs in between as they want. */
  async #advance(until: number, isOver: () => boolean): Promise<void> {
    const engine = this.#engine;
    let isMore = true;
    let turnAt = 0;
    while (isMore && !isOver()) {
      isMore = engine.run(until, eventsAtOnce);
      if (isMore && engine.pauseWanted === "ticks" && engine.events < turnAt) {
        await ticks();
        continue;
      }
      await turn();
      turnAt = engine.events + eventsAtOnce;
      await this.#capture?.relieve();
      this.#signal.throwIfAborted();
      if (this.#faultFailure !== undefined) throw this.#faultFailure;
    }
  }

  #start(node: EndpointNode): void {
    const host = this.#network.host(node.name);
    const program = new EndpointProgram(
      (record) => this.#workloads.record(node.name, record),
      (code) => {
        if (code !== 0)
          this.#workloads.endpointEnded(
            new EndpointError(node.name, "EEXIT", `ended unexpectedly (exit code ${code})`, false),
          );
      },
      async (_transport, observer) => {
        host.onEvent = (event) => observer.onEvent(event);
        return new SocketTransport(host);
      },
      this.#clock,
    );
    this.#programs.set(node.name, program);
    program.handle(startCommand(node, this.#plan.seed, this.#plan.metricsIntervalMicroseconds));
  }

  #say(host: string, command: EndpointCommand): void {
    const program = this.#programs.get(host);
    if (program === undefined) throw new SimulationError(`the plan has no endpoint on ${host}`);
    program.handle(command);
  }

  #hostOptions(node: PlannedNode): HostOptions {
    const { transport } = startCommand(node as EndpointNode, this.#plan.seed, this.#plan.metricsIntervalMicroseconds);
    if (transport.kind !== "stack")
      throw new SimulationError(`the host ${node.name} asks for a kernel, which cannot be simulated`);
    const { options, seed } = transport;
    // Links count single segments, as those of a real lab do; nobody looks at checksums but who reads the capture.
    const interfaces = options.interfaces.map((own) => ({ ...own, gso: false, checksumOffload: true }));
    return { ...options, ...this.#algorithms.get(node.name), interfaces, random: seededRandom(seed) };
  }

  #sampleLinks(): void {
    for (const sample of this.#network.linkSamples(this.#clock.now())) this.#sink.linkSample(sample);
  }

  #keepSamplingLinks(): void {
    const { metricsIntervalMicroseconds } = this.#plan;
    const due = (): void => {
      this.#sampleLinks();
      timer.set(this.#engine.now + metricsIntervalMicroseconds);
    };
    const timer = this.#engine.timer({ due });
    timer.set(0);
  }

  /** Never rejects; a fault that could not be done ends the run. */
  async #injectFaults(signal: AbortSignal): Promise<void> {
    const lab: FaultTarget = {
      setInterface: async (node, name, state) => this.#network.setInterface(node, name, state),
      setRoutes: async (node, routes) => this.#network.setRoutes(node, routes),
      links: {
        blackhole: async (link) => this.#network.blackhole(link, true),
        restore: async (link) => this.#network.blackhole(link, false),
        set: async (link, direction, config) => this.#network.configure(link, direction, config),
      },
    };
    const { faults } = this.#plan;
    try {
      await runFaults({
        faults,
        lab,
        clock: this.#faultClock(),
        zero: 0,
        signal,
        onEvent: (event) => this.#sink.event(event),
      });
    } catch (error) {
      if (!signal.aborted) this.#faultFailure = error as Error;
    }
  }

  #faultClock(): FaultClock {
    return {
      now: () => this.#clock.now(),
      waitUntil: (time, signal) =>
        new Promise((resolve, reject) => {
          const cancel = this.#clock.callAt(time, resolve);
          const aborted = (): void => {
            cancel();
            reject(signal.reason as Error);
          };
          if (signal.aborted) aborted();
          else signal.addEventListener("abort", aborted, { once: true });
        }),
    };
  }

  #problem(subject: string, message: string): void {
    const event: TimelineEvent = {
      time: this.#clock.now(),
      source: "lab",
      subject,
      name: "lab:problem",
      message: `${subject}: ${message}`,
    };
    this.#sink.event(event);
  }
}

/** What was put off with `process.nextTick`, and what that has put off in turn, has been done when it resolves. */
function ticks(): Promise<void> {
  return new Promise((resolve) => process.nextTick(resolve));
}

/** One whole turn of the event loop: all that waits for the end of the present one has been done when it resolves. */
function turn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

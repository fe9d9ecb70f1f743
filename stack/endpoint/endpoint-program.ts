import type { Clock } from "./clock.ts";
import { exitCode, machineErrors } from "./command/failure.ts";
import { Log } from "./command/log.ts";
import type { EndpointCommand, EndpointRecord, StartCommand } from "./protocol.ts";
import type { Transport, TransportObserver } from "./transport.ts";
import { WorkloadSession } from "./workload-session.ts";

/** A shorter interval would have the sampling itself load the machine. */
const shortestSampleMicroseconds = 200_000;

export type OpenTransport = (transport: StartCommand["transport"], observer: TransportObserver) => Promise<Transport>;

/** What the program does with each command; its process (streams, signals, exit) is `main.ts`. */
export class EndpointProgram {
  readonly #emit: (record: EndpointRecord) => void;
  readonly #exit: (code: number) => void;
  readonly #openTransport: OpenTransport;
  readonly #clock: Clock;
  readonly #log = new Log("info");
  #started = false;
  #transport: Transport | undefined;
  readonly #sessions: WorkloadSession[] = [];
  #cancelObservation: (() => void) | undefined;
  #sampledAt = -Infinity;
  #sampling = false;
  #stopping = false;

  constructor(
    emit: (record: EndpointRecord) => void,
    exit: (code: number) => void,
    openTransport: OpenTransport,
    clock: Clock,
  ) {
    this.#emit = emit;
    this.#exit = exit;
    this.#openTransport = openTransport;
    this.#clock = clock;
  }

  /** Throws when the command is none, or comes at a wrong time. */
  handle(command: EndpointCommand): void {
    switch (command.do) {
      case "start":
        if (this.#started) throw new Error("a second start command");
        this.#started = true;
        void this.#start(command);
        return;
      case "workload": {
        if (this.#transport === undefined) throw new Error("a workload command before the endpoint was ready");
        const session: WorkloadSession = new WorkloadSession(
          command,
          this.#transport,
          this.#emit,
          this.#clock,
          () => void this.#sampleAtEnd(session),
        );
        this.#sessions.push(session);
        session.start();
        return;
      }
      case "stop":
        void this.stop();
        return;
      default:
        throw new Error(`not a command: ${JSON.stringify(command)}`);
    }
  }

  async stop(): Promise<void> {
    if (this.#stopping) return;
    this.#stopping = true;
    this.#cancelObservation?.();
    await this.#transport?.close();
    this.#exit(0);
  }

  async #start(command: StartCommand): Promise<void> {
    try {
      this.#transport = await this.#openTransport(command.transport, {
        onEvent: (event) => this.#emit({ type: "event", time: Math.round(event.time), event }),
        onProblem: (message) => this.#log.warning(message),
      });
    } catch (error) {
      const { code = "EINTERNAL", message } = error as NodeJS.ErrnoException;
      this.#emit({ type: "error", time: this.#clock.now(), code, message });
      this.#exit(machineErrors.has(code) ? exitCode.machine : exitCode.internal);
      return;
    }
    this.#observeAt(this.#clock.now() + command.metricsIntervalMicroseconds, command.metricsIntervalMicroseconds);
    this.#emit({ type: "ready", time: this.#clock.now(), pid: process.pid, versions: this.#transport.versions });
  }

  /** What comes late for a whole interval is left out, not made up for. */
  #observeAt(time: number, intervalMicroseconds: number): void {
    this.#cancelObservation = this.#clock.callAt(time, () => {
      this.#observeAt(
        Math.max(time, this.#clock.now() - intervalMicroseconds + 1) + intervalMicroseconds,
        intervalMicroseconds,
      );
      this.#observe();
    });
  }

  #observe(): void {
    for (const session of this.#sessions) session.reportProgress();
    void this.#sample();
  }

  /** What a connection came to in the end, which the samples of every interval miss, and of short ones all. */
  async #sampleAtEnd(session: WorkloadSession): Promise<void> {
    if (this.#transport === undefined || this.#transport.sampleIsCostly) return;
    const time = this.#clock.now();
    for (const { socket, connection, subflows } of await this.#transport.sample())
      if (session.owns(socket)) this.#emit({ type: "metrics", time, workload: session.name, connection, subflows });
  }

  async #sample(): Promise<void> {
    const time = this.#clock.now();
    const costly = this.#transport?.sampleIsCostly === true;
    // Timers tick a little early or late; half a millisecond must not cost every other sample.
    const tooEarly = costly && time - this.#sampledAt < shortestSampleMicroseconds - 5000;
    if (this.#transport === undefined || this.#sampling || tooEarly) return;
    this.#sampling = true;
    this.#sampledAt = time;
    try {
      for (const { socket, connection, subflows } of await this.#transport.sample()) {
        const workload = this.#sessions.find((session) => session.owns(socket))?.name;
        this.#emit({ type: "metrics", time, ...(workload !== undefined && { workload }), connection, subflows });
      }
    } catch (error) {
      const { code = "EINTERNAL", message } = error as NodeJS.ErrnoException;
      this.#emit({ type: "error", time, code, message: `metrics: ${message}` });
      this.#exit(machineErrors.has(code) ? exitCode.machine : exitCode.internal);
    } finally {
      this.#sampling = false;
    }
  }
}

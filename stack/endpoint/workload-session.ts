import type { Clock } from "./clock.ts";
import type { EndpointRecord, WorkloadCommand, WorkloadResult } from "./protocol.ts";
import type { Transport, TransportSocket } from "./transport.ts";
import type { Progress, RoleContext } from "./workload/role.ts";
import { roleOf } from "./workload/roles.ts";

/** One workload in which this endpoint has a side: brings the connection about, runs the role, turns what happens into records. */
export class WorkloadSession {
  readonly #command: WorkloadCommand;
  readonly #transport: Transport;
  readonly #emit: (record: EndpointRecord) => void;
  readonly #clock: Clock;
  readonly #onEnding: () => void;
  #socket: TransportSocket | undefined;
  #progress: ((now: number) => Progress) | undefined;

  /** @param onEnding the peer has ended its side: the connection is there for the last time to be looked at */
  constructor(
    command: WorkloadCommand,
    transport: Transport,
    emit: (record: EndpointRecord) => void,
    clock: Clock,
    onEnding: () => void,
  ) {
    this.#onEnding = onEnding;
    this.#command = command;
    this.#transport = transport;
    this.#emit = emit;
    this.#clock = clock;
  }

  get name(): string {
    return this.#command.workload.name;
  }

  start(): void {
    if (this.#command.role === "server") this.#listen();
    else this.#clock.callAt(this.#command.startAt, () => this.#connect());
  }

  owns(socket: TransportSocket): boolean {
    return socket === this.#socket;
  }

  /** A `progress` record, where this side receives. */
  reportProgress(): void {
    const time = this.#clock.now();
    if (this.#progress !== undefined)
      this.#emit({ type: "progress", time, workload: this.name, ...this.#progress(time) });
  }

  #listen(): void {
    const { port } = this.#command.workload;
    // The listener stays open: the kernel accepts MP_JOIN only on a port on which somebody listens.
    this.#transport
      .listen(port, (socket) => {
        if (this.#socket === undefined) {
          this.#run(socket);
        } else {
          this.#event("unexpected-connection", { from: socket.remoteAddress, port: socket.remotePort });
          socket.on("error", () => undefined);
          socket.destroy();
        }
      })
      .then(
        () => this.#emit({ type: "listening", time: this.#clock.now(), workload: this.name, port }),
        (error: NodeJS.ErrnoException) => this.#fail(error),
      );
  }

  #connect(): void {
    const { serverAddress: host, port } = this.#command.workload;
    let socket: TransportSocket;
    try {
      socket = this.#transport.connect({ host, port });
    } catch (error) {
      this.#fail(error as NodeJS.ErrnoException);
      return;
    }
    this.#socket = socket;
    const onError = (error: Error): void => this.#fail(error);
    socket.once("error", onError);
    socket.once("connect", () => {
      socket.off("error", onError);
      this.#run(socket);
    });
  }

  #run(socket: TransportSocket): void {
    this.#socket = socket;
    socket.setNoDelay(this.#command.workload.noDelay ?? false);
    const { localAddress, localPort, remoteAddress, remotePort } = socket;
    this.#event("connected", { localAddress, localPort, remoteAddress, remotePort });
    socket.once("end", this.#onEnding);
    const context: RoleContext = {
      clock: this.#clock,
      event: (name, detail) => this.#event(name, detail),
      reportProgress: (source) => {
        this.#progress = source;
      },
    };
    const role = roleOf(this.#command.workload, this.#command.role);
    role(socket, this.#clock.now(), context).then(
      (result) => this.#succeed(result),
      (error: NodeJS.ErrnoException) => this.#fail(error),
    );
  }

  #succeed(result: WorkloadResult): void {
    this.#finishProgress();
    this.#emit({ type: "result", time: this.#clock.now(), workload: this.name, role: this.#command.role, result });
  }

  #event(name: string, detail?: Readonly<Record<string, unknown>>): void {
    this.#emit({
      type: "workload-event",
      time: this.#clock.now(),
      workload: this.name,
      name,
      ...(detail && { detail }),
    });
  }

  #fail(error: NodeJS.ErrnoException): void {
    this.#finishProgress();
    this.#emit({
      type: "error",
      time: this.#clock.now(),
      workload: this.name,
      code: error.code ?? "EUNKNOWN",
      message: error.message,
    });
  }

  #finishProgress(): void {
    this.reportProgress();
    this.#progress = undefined;
  }
}

import type { Duplex } from "node:stream";
import type { StackEvent } from "../events.ts";
import type { OnReadOptions } from "../net/socket-reader.ts";
import type { ConnectionMetrics, SubflowMetrics } from "./protocol.ts";

/** A connected (or connecting) socket, shaped as `net.Socket`: `connect`, `data`, `end`, `close`, `error` events; half-open allowed. */
export interface TransportSocket extends Duplex {
  readonly localAddress?: string | undefined;
  readonly localPort?: number | undefined;
  readonly remoteAddress?: string | undefined;
  readonly remotePort?: number | undefined;
  /** TCP_NODELAY; off on a new socket. */
  setNoDelay(noDelay?: boolean): unknown;
  /** Of our stack's: what is received goes into the application's memory, without `data` events. */
  readInto?(onread: OnReadOptions): unknown;
}

export interface Endpoint {
  readonly host: string;
  readonly port: number;
}

export interface SocketSample {
  readonly socket: TransportSocket;
  readonly connection: ConnectionMetrics;
  readonly subflows: readonly SubflowMetrics[];
}

/** What carries the bytes of the workloads: the kernel's sockets or our stack. */
export interface Transport {
  /** Versions of what is at work, for the record `ready`. */
  readonly versions: Readonly<Record<string, string>>;
  /** `connect` or `error` follow on the socket. Throws, with node:net's code, when the attempt cannot even begin. */
  connect(remote: Endpoint): TransportSocket;
  /**
   * On every address of the host, for a subflow may come to another one than the first did (the kernel refuses an MP_JOIN to an address on which
   * nobody listens). Resolves when connections are accepted; rejects with node:net's code (EADDRINUSE).
   */
  listen(port: number, onConnection: (socket: TransportSocket) => void): Promise<void>;
  /** Sampling starts a program; it is done at most five times a second. */
  readonly sampleIsCostly: boolean;
  /** State of all open sockets. Never called while a call before is still at work. */
  sample(): Promise<readonly SocketSample[]>;
  /** Gives back what the machine lent. Connections that are still open are lost. */
  close(): Promise<void>;
}

export interface TransportObserver {
  /** A decision of our stack. */
  onEvent(event: StackEvent): void;
  /** Something about the machine that a person should read. */
  onProblem(message: string): void;
}

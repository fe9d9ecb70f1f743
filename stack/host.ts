import type { ConnectionInfo } from "./mptcp/connection-info.ts";
import type { ChecksumState, FrameSink } from "./frame.ts";
import type { HostOptions } from "./host-options.ts";
import type { StackEvent } from "./events.ts";

/** Error codes of node:net. */
export type ConnectionErrorCode = "ECONNREFUSED" | "ECONNRESET" | "ETIMEDOUT" | "ECONNABORTED" | "EHOSTUNREACH" | "ENETUNREACH";

/** Told by `Host.deliverNotifications`, never from within another call. */
export interface ConnectionObserver {
  onEstablished(): void;
  /** Edge: `read` gives something again. */
  onReadable(): void;
  /** Edge: `write` had refused bytes and now has room. */
  onWritable(): void;
  /** All that the peer sent has been received; `read` may still hold some of it. */
  onRemoteEnd(): void;
  /** Nothing more will come; `error` when it did not end well. */
  onClosed(error: ConnectionErrorCode | undefined): void;
}

export declare class Connection {
  readonly id: number;
  observer: ConnectionObserver | undefined;
  get localAddress(): string;
  get localPort(): number;
  get remoteAddress(): string;
  get remotePort(): number;
  get established(): boolean;
  get closed(): boolean;
  get readableBytes(): number;
  get writableBytes(): number;
  /** Takes the whole chunk or its beginning; returns how many bytes. The memory must not change until acknowledged. Throws `ConnectionStateError` (EPIPE) after the end. */
  write(chunk: Uint8Array, now: number): number;
  /** Received bytes in order, at most `limit` of them, or undefined. The memory belongs to the caller. */
  read(now: number, limit?: number): Uint8Array | undefined;
  closeWrite(now: number): void;
  abort(now: number): void;
  info(): ConnectionInfo;
}

export interface ListenOptions {
  address?: string;
  port: number;
  backlog?: number;
}

export interface ConnectOptions {
  remoteAddress: string;
  remotePort: number;
  localAddress?: string;
  /** Default: as the host. */
  mptcp?: boolean;
}

export declare class Listener {
  readonly port: number;
  /** Told by `Host.deliverNotifications` that `accept` has something. */
  onConnection: (() => void) | undefined;
  accept(): Connection | undefined;
  close(now: number): void;
}

/**
 * One host: no I/O, no clock. Times are microseconds (a number) that never go back. Four kinds of methods: getters; `handle…` (input); application
 * calls; `poll…` (output). After any call the driver runs `pollTransmit`, `deliverNotifications` and arms one timer for `pollTimeout`.
 */
export declare class Host {
  constructor(options: HostOptions);
  handleFrame(interfaceIndex: number, buffer: Uint8Array, offset: number, length: number, checksum: ChecksumState, now: number): void;
  handleTimeout(now: number): void;
  /** When `handleTimeout` is due, `Infinity` for never. */
  pollTimeout(): number;
  /** Hands out every frame that may be sent now. */
  pollTransmit(now: number, sink: FrameSink): void;
  pollEvent(): StackEvent | undefined;
  /** Calls the observers of connections and listeners on which something happened. They may call anything but `handle…` and `poll…`. */
  deliverNotifications(): void;
  setInterfaceUp(interfaceIndex: number, up: boolean, now: number): void;
  listen(options: ListenOptions, now: number): Listener;
  connect(options: ConnectOptions, now: number): Connection;
  get connections(): readonly Connection[];
}

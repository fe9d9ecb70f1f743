import { EventEmitter } from "node:events";
import { ConfigurationError } from "../host-options.ts";
import { type Listener, NetworkError } from "../host.ts";
import { MptcpSocket, type MptcpSocketOptions, SocketError } from "./mptcp-socket.ts";
import type { NetworkStack } from "./network-stack.ts";

export interface ServerEvents {
  connection: [socket: MptcpSocket];
  listening: [];
  close: [];
  error: [error: Error];
}

export interface ServerListenOptions {
  port: number;
  /** Default: every address of the host. */
  host?: string;
  backlog?: number;
}

/** Shaped as `net.Server`. */
export class Server extends EventEmitter<ServerEvents> {
  readonly #stack: NetworkStack;
  readonly #socketOptions: MptcpSocketOptions;
  readonly #sockets = new Set<MptcpSocket>();
  #listener: Listener | undefined;
  #address = "0.0.0.0";
  #closing = false;

  constructor(stack: NetworkStack, options: MptcpSocketOptions = {}) {
    super();
    this.#stack = stack;
    this.#socketOptions = options;
  }

  get listening(): boolean {
    return this.#listener !== undefined;
  }

  /** Events follow in a later turn, as with node:net. */
  listen(options: ServerListenOptions, onListening?: () => void): this {
    if (onListening !== undefined) this.once("listening", onListening);
    try {
      const listener = this.#stack.host.listen(
        {
          port: options.port,
          ...(options.host !== undefined && { address: options.host }),
          ...(options.backlog !== undefined && { backlog: options.backlog }),
        },
        this.#stack.now(),
      );
      this.#listener = listener;
      this.#address = options.host ?? "0.0.0.0";
      listener.onConnection = () => this.#acceptAll(listener);
      queueMicrotask(() => this.emit("listening"));
    } catch (error) {
      if (!(error instanceof NetworkError) && !(error instanceof ConfigurationError)) throw error;
      const code = error instanceof NetworkError ? error.code : "EINVAL";
      queueMicrotask(() =>
        this.emit("error", new SocketError(code, "listen", `${options.host ?? "0.0.0.0"}:${options.port}`)),
      );
    }
    return this;
  }

  address(): { address: string; port: number; family: "IPv4" } | null {
    return this.#listener === undefined ? null : { address: this.#address, port: this.#listener.port, family: "IPv4" };
  }

  /** No new connections; `close` follows when the last open one has ended. */
  close(onClose?: () => void): this {
    if (onClose !== undefined) this.once("close", onClose);
    this.#listener?.close(this.#stack.now());
    this.#listener = undefined;
    this.#closing = true;
    this.#stack.wake();
    queueMicrotask(() => this.#closeIfDone());
    return this;
  }

  #acceptAll(listener: Listener): void {
    for (let connection = listener.accept(); connection !== undefined; connection = listener.accept()) {
      const socket = new MptcpSocket(this.#stack, connection, this.#socketOptions);
      this.#sockets.add(socket);
      socket.once("close", () => {
        this.#sockets.delete(socket);
        this.#closeIfDone();
      });
      this.emit("connection", socket);
    }
  }

  #closeIfDone(): void {
    if (!this.#closing || this.#sockets.size > 0) return;
    this.#closing = false;
    this.emit("close");
  }
}

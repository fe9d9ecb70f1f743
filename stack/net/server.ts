import { EventEmitter } from "node:events";
import { ConfigurationError } from "../host-options.ts";
import { type Listener, NetworkError } from "../host.ts";
import { formatEndpoint } from "../wire/ip-address.ts";
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
  /** Default: every address of the host, as with `::`; `0.0.0.0`: every IPv4 address. */
  host?: string;
  /** With `::`: no IPv4. */
  ipv6Only?: boolean;
  backlog?: number;
  /** Take data that come with a SYN (TCP Fast Open, RFC 7413). Default false. */
  fastOpen?: boolean;
}

/** What node:net, too, calls listening without a host where there is IPv6. */
const everyAddress = "::";

/** Shaped as `net.Server`. */
export class Server extends EventEmitter<ServerEvents> {
  readonly #stack: NetworkStack;
  readonly #socketOptions: MptcpSocketOptions;
  readonly #sockets = new Set<MptcpSocket>();
  #listener: Listener | undefined;
  #address = everyAddress;
  #closing = false;

  constructor(stack: NetworkStack, options: MptcpSocketOptions = {}) {
    super();
    this.#stack = stack;
    this.#socketOptions = options;
  }

  get listening(): boolean {
    return this.#listener !== undefined;
  }

  /**
   * Events follow in a later turn, as with node:net; what cannot be listened on is told by `error`.
   * @throws SocketError ERR_SERVER_ALREADY_LISTEN; NetworkError ERR_SOCKET_BAD_PORT
   */
  listen(options: ServerListenOptions, onListening?: () => void): this {
    if (this.listening) throw new SocketError("ERR_SERVER_ALREADY_LISTEN", "listen", "");
    if (onListening !== undefined) this.once("listening", onListening);
    try {
      const listener = this.#stack.host.listen(
        {
          port: options.port,
          ...(options.host !== undefined && { address: options.host }),
          ...(options.ipv6Only !== undefined && { ipv6Only: options.ipv6Only }),
          ...(options.backlog !== undefined && { backlog: options.backlog }),
          ...(options.fastOpen !== undefined && { fastOpen: options.fastOpen }),
        },
        this.#stack.now(),
      );
      this.#listener = listener;
      this.#address = options.host ?? everyAddress;
      listener.onConnection = () => this.#acceptAll(listener);
      queueMicrotask(() => this.emit("listening"));
    } catch (error) {
      const code =
        error instanceof NetworkError ? error.code : error instanceof ConfigurationError ? "EINVAL" : undefined;
      if (code === undefined || code === "ERR_SOCKET_BAD_PORT") throw error;
      queueMicrotask(() =>
        this.emit("error", new SocketError(code, "listen", formatEndpoint(options.host ?? everyAddress, options.port))),
      );
    }
    return this;
  }

  address(): { address: string; port: number; family: "IPv4" | "IPv6" } | null {
    if (this.#listener === undefined) return null;
    const family = this.#address.includes(":") ? "IPv6" : "IPv4";
    return { address: this.#address, port: this.#listener.port, family };
  }

  /** No new connections; `close` follows when the last open one has ended. `onClose` gets ERR_SERVER_NOT_RUNNING when the server did not listen. */
  close(onClose?: (error?: Error) => void): this {
    if (!this.listening) {
      if (onClose !== undefined) queueMicrotask(() => onClose(new SocketError("ERR_SERVER_NOT_RUNNING", "close", "")));
      return this;
    }
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

import { EventEmitter } from "node:events";
import { lookup } from "node:dns";
import { type BlockList, isIP } from "node:net";
import type { Connection, Listener } from "../host.ts";
import { algorithmChoices } from "../host-options.ts";
import { type ApplicationContext, callApplication, currentContext } from "./application-call.ts";
import { checkedBlockList, isBlocked, type ListenArguments, listenCall, type ListenCall } from "./call-arguments.ts";
import { type AcceptedConnection, MptcpSocket, type SocketAddressInfo } from "./mptcp-socket.ts";
import type { NetworkStack } from "./network-stack.ts";
import { orphan } from "./orphan.ts";
import { ProcessHold } from "./process-hold.ts";
import { coded, codeOfRefusal, SocketError, wrongType } from "./socket-error.ts";
import { type MptcpSocketOptions, refuseForeign } from "./socket-options.ts";

/** What is told of a connection that was not taken. */
export interface DroppedConnection {
  localAddress: string;
  localPort: number;
  localFamily: "IPv4" | "IPv6";
  remoteAddress: string;
  remotePort: number;
  remoteFamily: "IPv4" | "IPv6";
}

export interface ServerEvents {
  connection: [socket: MptcpSocket];
  listening: [];
  close: [];
  error: [error: Error];
  drop: [connection: DroppedConnection];
}

export type ServerOptions = Pick<
  MptcpSocketOptions,
  "allowHalfOpen" | "noDelay" | "keepAlive" | "keepAliveInitialDelay" | "highWaterMark" | "onread"
> & {
  /** Who connects from an address in it is dropped, without a word. */
  blockList?: BlockList;
  /** Sockets are handed over without having read anything. Default false. */
  pauseOnConnect?: boolean;
};

/** What node:net, too, calls listening without a host where there is IPv6. */
const everyAddress = "::";

/** Shaped as `net.Server`. */
export class Server extends EventEmitter<ServerEvents> {
  /** More connections than this at a time are dropped, with the event `drop`. */
  maxConnections: number | undefined;
  /** Of clusters, which there are none of here: too many connections are dropped in any case. */
  dropMaxConnection: boolean | undefined;
  readonly #stack: NetworkStack;
  readonly #socketOptions: MptcpSocketOptions;
  readonly #pauseOnConnect: boolean;
  readonly #blockList: BlockList | undefined;
  #connections = 0;
  #listener: Listener | undefined;
  /** Which call of `listen` or `close` was the last: the answer to a lookup before it comes too late. */
  #lastCall = 0;
  #address = everyAddress;
  readonly #hold: ProcessHold;
  #isReferenced = true;

  /** @throws ERR_INVALID_ARG_TYPE */
  constructor(
    stack: NetworkStack,
    options?: ServerOptions | ((socket: MptcpSocket) => void) | null,
    onConnection?: (socket: MptcpSocket) => void,
  ) {
    super();
    const listener = typeof options === "function" ? options : onConnection;
    if (options !== undefined && options !== null && typeof options !== "object" && typeof options !== "function")
      throw wrongType("options", "of type object", options);
    this.#stack = stack;
    this.#hold = new ProcessHold(stack);
    const given = typeof options === "object" && options !== null ? options : {};
    refuseForeign(given);
    const { allowHalfOpen = false, noDelay, keepAlive, keepAliveInitialDelay, highWaterMark, onread } = given;
    for (const [name, value] of Object.entries({ keepAliveInitialDelay, highWaterMark }))
      if (value !== undefined && typeof value !== "number") throw wrongType(`options.${name}`, "of type number", value);
    this.#blockList = checkedBlockList(given.blockList);
    this.#pauseOnConnect = given.pauseOnConnect === true;
    this.#socketOptions = {
      allowHalfOpen,
      ...(noDelay !== undefined && { noDelay }),
      ...(keepAlive !== undefined && { keepAlive }),
      ...(keepAliveInitialDelay !== undefined && { keepAliveInitialDelay }),
      // As node:net: less than nothing is the default.
      ...(highWaterMark !== undefined && highWaterMark >= 0 && { highWaterMark }),
      ...(onread !== undefined && { onread }),
    };
    if (listener !== undefined) this.on("connection", listener);
  }

  get listening(): boolean {
    return this.#listener !== undefined;
  }

  /**
   * `listen(options, onListening?)`, `listen(port?, host?, backlog?, onListening?)`. Events follow in a later turn; what cannot be listened on is told by `error`.
   * @throws ERR_SERVER_ALREADY_LISTEN, ERR_SOCKET_BAD_PORT, ERR_INVALID_ARG_VALUE, ERR_INVALID_ARG_TYPE
   */
  listen(...args: ListenArguments): this {
    const call = listenCall(args);
    if (this.listening)
      throw coded(
        new Error("Listen method has been called more than once without closing."),
        "ERR_SERVER_ALREADY_LISTEN",
      );
    const { onListening, options } = call;
    if (options.signal !== undefined) this.#closeOn(options.signal);
    if (onListening !== undefined) this.once("listening", onListening);
    this.#lastCall++;
    if (options.host === undefined || isIP(options.host) !== 0) this.#listen(options);
    else this.#lookUp(options.host, options);
    return this;
  }

  address(): SocketAddressInfo | null {
    if (this.#listener === undefined) return null;
    const family = this.#address.includes(":") ? "IPv6" : "IPv4";
    return { address: this.#address, family, port: this.#listener.port };
  }

  /** `tell` is called in a later turn, as node:net does. */
  getConnections(tell: (error: Error | null, count: number) => void): this {
    process.nextTick(tell, null, this.#connections);
    return this;
  }

  /** No new connections; `close` follows when the last open one has been destroyed. `onClose` gets ERR_SERVER_NOT_RUNNING when the server did not listen. */
  close(onClose?: (error?: Error) => void): this {
    this.#lastCall++;
    if (typeof onClose === "function") {
      if (this.listening) this.once("close", onClose);
      else this.once("close", () => onClose(coded(new Error("Server is not running."), "ERR_SERVER_NOT_RUNNING")));
    }
    this.#listener?.close(this.#stack.now());
    this.#listener = undefined;
    this.#updateHold();
    this.#stack.wake();
    this.#closeIfDone();
    return this;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (!this.listening) return;
    await new Promise<void>((resolve, reject) => {
      this.close((error) => (error === undefined ? resolve() : reject(error)));
    });
  }

  /** The process goes on while the server listens: so it begins. */
  ref(): this {
    this.#isReferenced = true;
    this.#updateHold();
    return this;
  }

  /** The process may end although the server listens. */
  unref(): this {
    this.#isReferenced = false;
    this.#updateHold();
    return this;
  }

  /** Where rejections of handlers are captured (node:events), that of a connection's handler ends the connection. */
  override [EventEmitter.captureRejectionSymbol](error: Error, event: unknown, ...args: readonly unknown[]): void {
    if (event === "connection") (args[0] as MptcpSocket).destroy(error);
    else this.emit("error", error);
  }

  #closeOn(signal: AbortSignal): void {
    if (!(signal instanceof AbortSignal)) throw wrongType("options.signal", "an instance of AbortSignal", signal);
    const onAbort = (): void => void this.close();
    if (signal.aborted) process.nextTick(onAbort);
    else {
      signal.addEventListener("abort", onAbort);
      this.once("close", () => signal.removeEventListener("abort", onAbort));
    }
  }

  #lookUp(name: string, options: ListenCall["options"]): void {
    const call = this.#lastCall;
    lookup(name, { all: true }, (error, addresses) => {
      if (call !== this.#lastCall) return;
      if (error === null) this.#listen({ ...options, host: (addresses.find(isGlobal) ?? addresses[0]!).address });
      else this.emit("error", error);
    });
  }

  #listen({ port, host, ipv6Only, backlog, fastOpen, ...others }: ListenCall["options"]): void {
    const address = host;
    try {
      const listener = this.#stack.host.listen(
        {
          port,
          ...(address !== undefined && { address }),
          ...(ipv6Only !== undefined && { ipv6Only }),
          ...(backlog !== undefined && backlog > 0 && { backlog }),
          ...(fastOpen !== undefined && { fastOpen }),
          ...algorithmChoices(others),
        },
        this.#stack.now(),
      );
      this.#listener = listener;
      this.#updateHold();
      this.#address = address ?? everyAddress;
      const context = currentContext();
      listener.onConnection = () => this.#acceptAll(listener, context);
      process.nextTick(() => {
        if (this.#listener === listener) this.emit("listening");
      });
    } catch (error) {
      const code = codeOfRefusal(error);
      const failure = new SocketError(code, "listen", { address: address ?? everyAddress, port });
      process.nextTick(() => this.emit("error", failure));
    }
  }

  #acceptAll(listener: Listener, context: ApplicationContext): void {
    for (let connection = listener.accept(); connection !== undefined; connection = listener.accept()) {
      const accepted = connection;
      callApplication(context, () => this.#accept(accepted));
    }
  }

  #accept(connection: Connection): void {
    if (this.#connections >= (this.maxConnections ?? Number.POSITIVE_INFINITY)) this.#drop(connection);
    else if (isBlocked(this.#blockList, connection.remoteAddress)) orphan(this.#stack, connection);
    else this.#take(connection);
  }

  #take(connection: Connection): void {
    const pauseOnConnect = this.#pauseOnConnect;
    const onDestroyed = (): void => {
      this.#connections--;
      this.#closeIfDone();
    };
    const socket = this.newSocket(this.#socketOptions, { connection, server: this, pauseOnConnect, onDestroyed });
    this.#connections++;
    this.emit("connection", socket);
  }

  /** Of the class that the module has. */
  protected newSocket(options: MptcpSocketOptions, accepted: AcceptedConnection): MptcpSocket {
    return new MptcpSocket(this.#stack, options, accepted);
  }

  #drop(connection: Connection): void {
    const { localAddress, localPort, remoteAddress, remotePort } = connection;
    orphan(this.#stack, connection);
    this.emit("drop", {
      localAddress,
      localPort,
      localFamily: localAddress.includes(":") ? "IPv6" : "IPv4",
      remoteAddress,
      remotePort,
      remoteFamily: remoteAddress.includes(":") ? "IPv6" : "IPv4",
    });
  }

  #updateHold(): void {
    this.#hold.set(this.#isReferenced && this.listening);
  }

  /** As node:net: as often as it is closed while nothing is open, and before the last socket tells that it is. */
  #closeIfDone(): void {
    if (this.listening || this.#connections > 0) return;
    process.nextTick(() => this.emit("close"));
  }
}

/** Addresses of a link alone come last (RFC 4291 §2.5.6). */
const isGlobal = ({ address }: { address: string }): boolean => !/^fe[89ab]/i.test(address);

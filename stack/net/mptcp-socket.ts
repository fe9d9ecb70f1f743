import { addAbortSignal, Duplex, type DuplexOptions } from "node:stream";
import type { Connection } from "../host.ts";
import type { ConnectionErrorCode } from "../mptcp/connection-observer.ts";
import { type ApplicationContext, callApplication, currentContext } from "./application-call.ts";
import { type ConnectArguments, connectCall } from "./call-arguments.ts";
import { ConnectionAttempts } from "./connection-attempts.ts";
import { IdleTimer } from "./idle-timer.ts";
import { linuxInfo, type SocketInfo } from "./linux-info.ts";
import type { NetworkStack } from "./network-stack.ts";
import { orphan } from "./orphan.ts";
import { ProcessHold } from "./process-hold.ts";
import type { Server } from "./server.ts";
import { closedBeforeConnection, endedByPeer, SocketError, socketClosed, wrongType } from "./socket-error.ts";
import {
  checkedTimeout,
  ConnectionOptions,
  type KeepAlive,
  type MptcpSocketOptions,
  refuseForeign,
  type SocketConnectOptions,
} from "./socket-options.ts";
import { type OnReadOptions, onreadOf, SocketReader } from "./socket-reader.ts";
import { SocketWriter, type WriteCallback } from "./socket-writer.ts";

/** What a server gives to a socket that it has accepted. */
export interface AcceptedConnection {
  connection: Connection;
  /** Default: none, for those who accept connections by themselves. */
  server?: Server;
  /** Nothing is read before `resume`. Default false. */
  pauseOnConnect?: boolean;
  /** The socket has been destroyed; `close` has not been emitted yet. */
  onDestroyed?: () => void;
}

export interface SocketAddressInfo {
  address: string;
  family: "IPv4" | "IPv6";
  port: number;
}

/**
 * A connection of our stack, shaped as `net.Socket`. A chunk that is written with a callback is copied, for its memory may be used again when the callback comes. One without
 * is not: nobody is told when it has been sent, so its memory must not change any more.
 */
export class MptcpSocket extends Duplex {
  /** Milliseconds, as `setTimeout` has it. */
  timeout: number | undefined;
  /** Which has accepted it; servers of other protocols put themselves here. */
  server: unknown = null;
  /** Addresses of a name that have been tried, `address:port`. */
  autoSelectFamilyAttemptedAddresses: string[] | undefined;

  readonly #stack: NetworkStack;
  readonly #options: ConnectionOptions;
  readonly #idle: IdleTimer;
  readonly #signal: AbortSignal | undefined;
  #onread: OnReadOptions | undefined;
  #reader: SocketReader;
  #writer = new SocketWriter();
  #connection: Connection | undefined;
  #attempts: ConnectionAttempts | undefined;
  #connecting = false;
  #closed = false;
  /** What is written goes to the connection before it is established. */
  #writesEarly = false;
  #finalCallback: WriteCallback | undefined;
  #resets = false;
  #onDestroyed: (() => void) | undefined;
  readonly #hold: ProcessHold;
  /** Of who called `connect`, or `listen` of the server. */
  #context: ApplicationContext = currentContext();
  #isReferenced = true;

  /** @throws what node:net throws of the same options: ERR_INVALID_ARG_TYPE, ERR_INVALID_ARG_VALUE */
  constructor(stack: NetworkStack, options: MptcpSocketOptions = {}, accepted?: AcceptedConnection) {
    refuseForeign(options);
    const { signal, ...others } = options;
    const streamOptions: DuplexOptions = {
      ...others,
      allowHalfOpen: Boolean(options.allowHalfOpen),
      emitClose: false,
      autoDestroy: true,
      decodeStrings: true,
    };
    super(streamOptions);
    this.#stack = stack;
    this.#hold = new ProcessHold(stack);
    this.#onread = onreadOf(options.onread, this);
    this.#reader = this.#newReader();
    this.#options = new ConnectionOptions(options);
    this.#idle = new IdleTimer(stack, () => this.emit("timeout"));
    this.#signal = signal;
    if (signal) addAbortSignal(signal, this);
    if (accepted === undefined) return;
    this.server = accepted.server ?? null;
    this.#onDestroyed = accepted.onDestroyed;
    this.#attach(accepted.connection);
    if (accepted.pauseOnConnect === true) this.pause();
    else this.read(0);
  }

  /**
   * `connect(options, onConnect?)`, `connect(port, host?, onConnect?)`. What fails is told by `error`, what cannot be right is thrown.
   * @throws ERR_MISSING_ARGS, ERR_INVALID_ARG_TYPE, ERR_INVALID_ARG_VALUE, ERR_SOCKET_BAD_PORT, ERR_INVALID_IP_ADDRESS
   */
  connect(...args: ConnectArguments<SocketConnectOptions>): this {
    const { options, onConnect } = connectCall<SocketConnectOptions>(args);
    if (this.#signal?.aborted === true) return this;
    if (onConnect !== undefined) this.once("connect", onConnect);
    if (this.#isOpen) {
      this.#refuseSecond(options);
      return this;
    }
    if (this.destroyed) this.#revive();
    this.#context = currentContext();
    this.#connecting = true;
    this.#updateHold();
    this.#idle.touch();
    const attempts = new ConnectionAttempts(this.#stack, options, {
      onLookup: (...told) => this.emit("lookup", ...told),
      onAttempt: (address, port, family) => {
        this.autoSelectFamilyAttemptedAddresses = attempts.attempted;
        this.emit("connectionAttempt", address, port, family);
      },
      onOpened: (connection, alone) => {
        this.#writesEarly = alone && options.fastOpen === true;
        this.#attach(connection);
        this.#flush();
      },
      onAttemptFailed: (...told) => this.emit("connectionAttemptFailed", ...told),
      onAttemptTimeout: (...told) => this.emit("connectionAttemptTimeout", ...told),
      onFailed: (error) => this.destroy(error),
    });
    this.#attempts = attempts;
    attempts.begin();
    return this;
  }

  get connecting(): boolean {
    return this.#connecting;
  }

  /** Not connected yet. */
  get pending(): boolean {
    return this.#connection === undefined || this.#connecting || this.destroyed;
  }

  get readyState(): "opening" | "open" | "readOnly" | "writeOnly" | "closed" {
    if (this.#connecting) return "opening";
    if (this.readable && this.writable) return "open";
    if (this.readable) return "readOnly";
    return this.writable ? "writeOnly" : "closed";
  }

  get localAddress(): string | undefined {
    return this.#connection?.localAddress;
  }

  get localPort(): number | undefined {
    return this.#connection?.localPort;
  }

  get localFamily(): "IPv4" | "IPv6" | undefined {
    return familyOf(this.localAddress);
  }

  get remoteAddress(): string | undefined {
    return this.#connecting ? undefined : this.#connection?.remoteAddress;
  }

  /** A mapped address is IPv4 here: that is what its packets are. */
  get remoteFamily(): "IPv4" | "IPv6" | undefined {
    return familyOf(this.remoteAddress);
  }

  get remotePort(): number | undefined {
    return this.#connecting ? undefined : this.#connection?.remotePort;
  }

  /** The local address; {} while there is none. */
  address(): SocketAddressInfo | Record<string, never> {
    const connection = this.#connection;
    if (connection === undefined) return {};
    const { localAddress: address, localPort: port } = connection;
    return { address, family: familyOf(address)!, port };
  }

  get bytesRead(): number {
    return this.#reader.bytesRead;
  }

  /** @deprecated As in node:net, for `writableLength`. */
  get bufferSize(): number | undefined {
    return this.#isOpen ? this.writableLength : undefined;
  }

  /** What has been written, whether or not it has been sent. */
  get bytesWritten(): number {
    return this.#writer.bytesBegun + (this.destroyed ? 0 : this.writableLength - this.#writer.bytesPending);
  }

  /**
   * State of the connection and its subflows: what the stack itself tells, and with it the fields of Linux's MPTCP_INFO and TCP_INFO.
   * @throws ERR_SOCKET_CLOSED before there is a connection
   */
  info(): SocketInfo {
    if (this.#connection === undefined) throw socketClosed();
    return linuxInfo(this.#connection, this.#stack.now());
  }

  /** `timeout` is emitted after so many milliseconds without reading or writing; 0: never. @throws ERR_INVALID_ARG_TYPE, ERR_OUT_OF_RANGE */
  setTimeout(milliseconds: number, onTimeout?: () => void): this {
    if (this.destroyed) return this;
    const timeout = checkedTimeout(milliseconds);
    if (onTimeout !== undefined && typeof onTimeout !== "function")
      throw wrongType("callback", "of type function", onTimeout);
    this.timeout = milliseconds;
    this.#idle.set(timeout);
    if (onTimeout !== undefined) {
      if (milliseconds === 0) this.off("timeout", onTimeout);
      else this.once("timeout", onTimeout);
    }
    return this;
  }

  /** Without delay, each write goes out at once, however small (TCP_NODELAY; RFC 9293 §3.7.4). */
  setNoDelay(noDelay = true): this {
    this.#options.setNoDelay(noDelay);
    this.#applyOptions();
    return this;
  }

  /**
   * Probes after `initialDelay` milliseconds of silence, on each subflow, one each `interval`, and `count` of them before it is given up; 0: as before, at first
   * two hours, a second, and ten.
   */
  setKeepAlive(enable?: boolean | KeepAlive, initialDelay?: number, interval?: number, count?: number): this {
    const given = typeof enable === "object" && enable !== null ? enable : { enable, initialDelay, interval, count };
    this.#options.setKeepAlive(given);
    this.#applyOptions();
    return this;
  }

  /**
   * The octet of the IP header of all subflows' packets by which routers tell classes of service apart, 0 … 255; the two bits of ECN stay as they are.
   * @throws ERR_INVALID_ARG_TYPE, ERR_OUT_OF_RANGE
   */
  setTypeOfService(octet: number): this {
    this.#options.setTypeOfService(octet);
    this.#applyOptions();
    return this;
  }

  getTypeOfService(): number {
    return this.#options.typeOfService;
  }

  /**
   * How many milliseconds each subflow lets data wait for an acknowledgement before it is given up (TCP_USER_TIMEOUT; RFC 5482); 0: as the host. node:net has no such call.
   * @throws ERR_INVALID_ARG_TYPE, ERR_OUT_OF_RANGE
   */
  setUserTimeout(milliseconds: number): this {
    this.#options.setUserTimeout(milliseconds);
    this.#applyOptions();
    return this;
  }

  /** The process goes on while the socket is open: so it begins. */
  ref(): this {
    this.#isReferenced = true;
    this.#updateHold();
    return this;
  }

  /** The process may end although the socket is open; not while it connects, or its peer has not acknowledged all that was written. */
  unref(): this {
    this.#isReferenced = false;
    this.#updateHold();
    return this;
  }

  /** Ends our stream, and destroys the socket when all of it has been given to the connection. */
  destroySoon(): void {
    if (this.writable) this.end();
    if (this.writableFinished) this.destroy();
    else this.once("finish", () => this.destroy());
  }

  /** RST on every subflow (MP_FASTCLOSE): the peer sees ECONNRESET. While it connects: as soon as it is connected. */
  resetAndDestroy(): this {
    if (this.#connecting) this.once("connect", () => this.resetAndDestroy());
    else if (this.#connection === undefined || this.destroyed) this.destroy(socketClosed());
    else {
      this.#resets = true;
      this.destroy();
    }
    return this;
  }

  /**
   * From now on what is received is put into memory of the application's, as by the option `onread`, and there are no more `data` events; for sockets, too, that a server has
   * accepted. What has been read ahead comes first. node:net has no such call.
   * @throws ERR_INVALID_ARG_TYPE
   */
  readInto(onread: OnReadOptions): this {
    const checked = onreadOf(onread, this);
    if (checked === undefined) throw wrongType("onread", "an instance of OnReadOptions", onread);
    const readAhead: Buffer[] = [];
    // Each read makes room for more.
    while (this.readableLength > 0) readAhead.push(super.read(this.readableLength) as Buffer);
    this.#onread = checked;
    this.#reader.useOwnBuffer(checked, Buffer.concat(readAhead));
    this.#pump();
    return this;
  }

  override pause(): this {
    if (this.#reader.usesOwnBuffer) this.#reader.pause(this.#connection);
    return super.pause();
  }

  override resume(): this {
    super.resume();
    if (this.#reader.usesOwnBuffer) this._read();
    return this;
  }

  override read(size?: number): unknown {
    if (this.#reader.usesOwnBuffer && !this.#reader.wanted) this._read();
    return super.read(size);
  }

  override write(chunk: unknown, encoding?: BufferEncoding | WriteCallback, callback?: WriteCallback): boolean {
    // As node:net: after the peer's end ours has been given by the socket, not by the application, whose error this is not.
    if (this.readableEnded && !this.allowHalfOpen && this.writableEnded) {
      const told = typeof encoding === "function" ? encoding : callback;
      const error = endedByPeer();
      if (told !== undefined) process.nextTick(told, error);
      // So writes Node's TLS over any stream: its last alert, when the peer has ended without one, which over a descriptor nobody would hear of.
      const isOfLayerAbove = this.writableCorked > 0 && told !== undefined;
      if (!isOfLayerAbove) this.destroy(error);
      return false;
    }
    if (typeof encoding === "function") return super.write(ownCopy(chunk), encoding);
    if (callback === undefined) return encoding === undefined ? super.write(chunk) : super.write(chunk, encoding);
    return encoding === undefined
      ? super.write(ownCopy(chunk), callback)
      : super.write(ownCopy(chunk), encoding, callback);
  }

  override _read(): void {
    this.#reader.wanted = true;
    this.#pump();
  }

  override _write(chunk: Buffer, _encoding: BufferEncoding, callback: WriteCallback): void {
    this.#write([chunk], callback);
  }

  override _writev(chunks: readonly { chunk: Buffer }[], callback: WriteCallback): void {
    this.#write(
      chunks.map(({ chunk }) => chunk),
      callback,
    );
  }

  override _final(callback: WriteCallback): void {
    if (this.#connecting) {
      // What has not begun ends with the handshake.
      this.#finalCallback = callback;
      return;
    }
    this.#closeWrite();
    // As shutdown(2) of node:net, whose end is heard of in a later turn: until then writes may still be told that they come too late.
    this.#stack.deferred?.("turn");
    setImmediate(callback);
  }

  override _destroy(error: Error | null, callback: (error?: Error | null) => void): void {
    const wasConnecting = this.#connecting;
    const hadConnection = wasConnecting || this.#connection !== undefined;
    this.#stack.deferred?.("turn");
    this.#connecting = false;
    this.#attempts?.stop();
    this.#reader.stop(this.#connection);
    this.#idle.stop();
    this.#release();
    this.#finalCallback = undefined;
    callback(error);
    const writer = this.#writer;
    this.#updateHold();
    if (hadConnection)
      // As that of a handle: who has just been told of the error can still ask to be told of this.
      setImmediate(() => {
        writer.settle(wasConnecting ? closedBeforeConnection() : new SocketError("ECANCELED", "write"));
        this.#context(() => this.emit("close", error !== null));
      });
    else process.nextTick(() => this.emit("close"));
    const onDestroyed = this.#onDestroyed;
    this.#onDestroyed = undefined;
    onDestroyed?.();
  }

  /** What a descriptor is to node:net: it connects, or has a connection, and is not destroyed. */
  get #isOpen(): boolean {
    return !this.destroyed && (this.#connecting || this.#connection !== undefined);
  }

  /** What connect(2) says of a socket that has a connection. */
  #refuseSecond({ host: address, port }: SocketConnectOptions & { host: string; port: number }): void {
    const code = this.#connecting ? "EALREADY" : "EISCONN";
    const local = this.#connection === undefined ? undefined : `${this.localAddress}:${this.localPort}`;
    process.nextTick(() => this.destroy(new SocketError(code, "connect", { address, port }, local)));
  }

  #newReader(): SocketReader {
    return new SocketReader((chunk) => {
      const wanted = this.push(chunk);
      // Who does not read is still told of the end.
      if (chunk === null) this.read(0);
      return wanted;
    }, this.#onread);
  }

  /** As node:net: a socket that is closed may connect once more. */
  #revive(): void {
    (this as unknown as { _undestroy(): void })._undestroy();
    this.#connection = undefined;
    this.#closed = false;
    this.#resets = false;
    this.#reader = this.#newReader();
    this.#writer = new SocketWriter();
  }

  #attach(connection: Connection): void {
    this.#connection = connection;
    this.#updateHold();
    this.#applyOptions();
    connection.observer = {
      onEstablished: () => this.#tell(() => this.#onEstablished(connection)),
      onReadable: () => this.#tell(() => this.#pump()),
      onWritable: () => this.#tell(() => this.#flush()),
      onSettled: () => this.#updateHold(),
      onRemoteEnd: () => {
        this.#reader.remoteEnded = true;
        this.#tell(() => this.#pump());
      },
      onClosed: (error) => this.#tell(() => this.#onClosed(error)),
    };
  }

  #tell(call: () => void): void {
    callApplication(this.#context, call);
  }

  #applyOptions(): void {
    const connection = this.#connection;
    if (connection === undefined || this.#closed) return;
    this.#options.apply(connection, this.#stack.now());
    this.#stack.wake();
  }

  #onEstablished(connection: Connection): void {
    if (!this.#connecting || connection !== this.#connection) return; // An accepted one was born connected.
    this.#connecting = false;
    this.#attempts?.stop();
    this.#attempts = undefined;
    this.#idle.touch();
    this.emit("connect");
    // As those who wait for the event: node:net's own writes do.
    this.#flush();
    const callback = this.#finalCallback;
    this.#finalCallback = undefined;
    if (callback !== undefined) this._final(callback);
    this.emit("ready");
    this.#updateHold();
    if (!this.destroyed && !this.isPaused()) this.read(0);
  }

  #onClosed(error: ConnectionErrorCode | undefined): void {
    if (this.#connecting) {
      this.#attempts?.onClosed(error ?? "ECONNRESET");
      return;
    }
    this.#closed = true;
    this.#updateHold();
    if (this.destroyed) return;
    if (error === undefined) {
      this.#reader.remoteEnded = true;
      this.#pump();
      // As a descriptor whose end has been read: nobody waits there for a reset. Who writes hears of it.
    } else if (this.#reader.ended) this.#writer.settle(new SocketError("EPIPE", "write"));
    else this.destroy(new SocketError(error, "read"));
  }

  /** The connection goes its own way. */
  #release(): void {
    const connection = this.#connection;
    if (connection === undefined || this.#closed) return;
    this.#closed = true;
    if (this.#resets) {
      connection.abort(this.#stack.now());
      this.#stack.wake();
    } else orphan(this.#stack, connection);
  }

  #updateHold(): void {
    const connection = this.#closed ? undefined : this.#connection;
    // The kernel would send the rest when the process has ended; our stack is in the process.
    const owes = this.#writer.isPending || connection?.dataSender.isSettled === false;
    this.#hold.set(!this.destroyed && (this.#connecting || owes || (this.#isReferenced && connection !== undefined)));
    if (owes && !this.#isReferenced) connection?.tellWhenSettled();
  }

  #closeWrite(): void {
    if (this.#connection === undefined || this.#closed) return;
    this.#connection.closeWrite(this.#stack.now());
    this.#updateHold();
    this.#stack.wake();
  }

  #pump(): void {
    const connection = this.#connection;
    if (connection === undefined || this.#connecting || this.destroyed) return;
    const bytes = this.#reader.pump(connection, this.readableHighWaterMark * 4, this.#stack.now());
    // A flowing stream hands bytes on as they are pushed; what it keeps it hands on later.
    if (this.readableLength > 0) this.#stack.deferred?.();
    if (this.#reader.lacksRoom) this.destroy(new SocketError("ENOBUFS", "read"));
    if (bytes === 0) return;
    this.#idle.touch();
    this.#stack.wake();
  }

  #write(chunks: readonly Buffer[], callback: WriteCallback): void {
    if (this.#connection === undefined && !this.#connecting) {
      callback(socketClosed());
      return;
    }
    this.#idle.touch();
    this.#writer.begin(chunks, callback);
    this.#flush();
    this.#writer.keepContext();
    this.#updateHold();
  }

  #flush(): void {
    const connection = this.#connection;
    if (connection === undefined || (this.#connecting && !this.#writesEarly) || this.destroyed) return;
    const hadPending = this.#writer.isPending;
    const taken = this.#writer.flush(connection, this.#stack.now());
    if (hadPending && !this.#writer.isPending) {
      this.#stack.deferred?.();
      this.#updateHold();
    }
    if (taken === 0) return;
    this.#idle.touch();
    this.#stack.wake();
  }
}

/** Of what has memory that others can change; what cannot be written is refused by the stream. */
function ownCopy(chunk: unknown): unknown {
  if (!ArrayBuffer.isView(chunk)) return chunk;
  return Buffer.from(new Uint8Array(chunk.buffer, chunk.byteOffset, chunk.byteLength));
}

function familyOf(address: string | undefined): "IPv4" | "IPv6" | undefined {
  if (address === undefined) return undefined;
  return address.includes(":") ? "IPv6" : "IPv4";
}

import { Duplex } from "node:stream";
import type { Connection } from "../host.ts";
import type { ConnectionInfo } from "../mptcp/connection-info.ts";
import type { ConnectionErrorCode } from "../mptcp/connection-observer.ts";
import { formatEndpoint } from "../wire/ip-address.ts";
import type { NetworkStack } from "./network-stack.ts";

/** As Node's SystemError: `code` and `syscall` are what programs look at. */
export class SocketError extends Error {
  readonly code: string;
  readonly syscall: string;

  constructor(code: string, syscall: string, detail: string) {
    super(`${syscall} ${code}${detail === "" ? "" : ` ${detail}`}`);
    this.name = "SocketError";
    this.code = code;
    this.syscall = syscall;
  }
}

export interface MptcpSocketOptions {
  /** As for `net.Socket`: without it, the end of the peer's stream ends ours. Default false. */
  allowHalfOpen?: boolean;
  /** What is written in the same turn goes with the SYN, when the peer's cookie is known (TCP Fast Open, RFC 7413): it may arrive twice. Default false. */
  fastOpen?: boolean;
}

/**
 * A connection of our stack, shaped as `net.Socket`: `connect`, `data`, `end`, `close`, `error`; write with back-pressure. Chunks that are written are not copied:
 * like a file's, their memory must not change until the write's callback and the peer's acknowledgement.
 */
export class MptcpSocket extends Duplex {
  readonly #stack: NetworkStack;
  readonly #connection: Connection;
  #connecting: boolean;
  /** What is written goes to the connection before it is established. */
  readonly #writesEarly: boolean;
  #bytesRead = 0;
  #bytesWritten = 0;
  /** The peer's stream has ended: after what is readable now comes the end. */
  #remoteEnded = false;
  #endPushed = false;
  #wantsData = false;
  #pendingChunk: Uint8Array | undefined;
  #pendingCallback: ((error?: Error | null) => void) | undefined;
  #finalCallback: ((error?: Error | null) => void) | undefined;
  #closed = false;

  constructor(stack: NetworkStack, connection: Connection, options: MptcpSocketOptions = {}) {
    super({ allowHalfOpen: options.allowHalfOpen ?? false, emitClose: true, autoDestroy: true });
    this.#stack = stack;
    this.#connection = connection;
    this.#connecting = !connection.established;
    this.#writesEarly = options.fastOpen ?? false;
    connection.observer = {
      onEstablished: () => this.#onEstablished(),
      onReadable: () => this.#pump(),
      onWritable: () => this.#writePending(),
      onRemoteEnd: () => {
        this.#remoteEnded = true;
        this.#pump();
      },
      onClosed: (error) => this.#onClosed(error),
    };
  }

  get connecting(): boolean {
    return this.#connecting;
  }

  get localAddress(): string {
    return this.#connection.localAddress;
  }

  get localPort(): number {
    return this.#connection.localPort;
  }

  get remoteAddress(): string {
    return this.#connection.remoteAddress;
  }

  /** A mapped address is IPv4 here: that is what its packets are. */
  get remoteFamily(): "IPv4" | "IPv6" {
    return this.remoteAddress.includes(":") ? "IPv6" : "IPv4";
  }

  get remotePort(): number {
    return this.#connection.remotePort;
  }

  get bytesRead(): number {
    return this.#bytesRead;
  }

  get bytesWritten(): number {
    return this.#bytesWritten;
  }

  /** State of the connection and its subflows. */
  info(): ConnectionInfo {
    return this.#connection.info();
  }

  /** As `net.Socket`: without delay, each write goes out at once, however small (TCP_NODELAY). */
  setNoDelay(noDelay = true): this {
    this.#connection.noDelay = noDelay;
    this.#stack.wake();
    return this;
  }

  /** RST on every subflow (MP_FASTCLOSE): the peer sees ECONNRESET. */
  resetAndDestroy(): this {
    return this.destroy();
  }

  override _read(): void {
    this.#wantsData = true;
    this.#pump();
  }

  override _write(chunk: Buffer, _encoding: BufferEncoding, callback: (error?: Error | null) => void): void {
    this.#pendingChunk = chunk;
    this.#pendingCallback = callback;
    this.#writePending();
  }

  override _final(callback: (error?: Error | null) => void): void {
    if (this.#closed || this.#connecting) {
      // What has not begun ends with the handshake.
      this.#finalCallback = callback;
      if (this.#closed) this.#finish();
      return;
    }
    this.#connection.closeWrite(this.#stack.now());
    this.#stack.wake();
    callback();
  }

  override _destroy(error: Error | null, callback: (error?: Error | null) => void): void {
    const endedWell = this.writableFinished && this.#endPushed;
    if (!this.#closed && !endedWell) {
      this.#connection.abort(this.#stack.now());
      this.#stack.wake();
    }
    const pending = this.#pendingCallback;
    this.#pendingCallback = undefined;
    this.#pendingChunk = undefined;
    this.#finalCallback = undefined;
    callback(error);
    pending?.(error ?? new SocketError("ERR_STREAM_DESTROYED", "write", ""));
  }

  #onEstablished(): void {
    if (!this.#connecting) return; // An accepted one was born connected.
    this.#connecting = false;
    this.emit("connect");
    this.emit("ready");
    this.#writePending();
    this.#finish();
  }

  #finish(): void {
    const callback = this.#finalCallback;
    if (callback === undefined) return;
    this.#finalCallback = undefined;
    if (!this.#closed) {
      this.#connection.closeWrite(this.#stack.now());
      this.#stack.wake();
    }
    callback();
  }

  #onClosed(error: ConnectionErrorCode | undefined): void {
    this.#closed = true;
    if (this.destroyed) return;
    if (error !== undefined) {
      const syscall = this.#connecting ? "connect" : "read";
      this.destroy(new SocketError(error, syscall, formatEndpoint(this.remoteAddress, this.remotePort)));
      return;
    }
    this.#remoteEnded = true;
    this.#pump();
  }

  #pump(): void {
    let woke = false;
    while (this.#wantsData && !this.destroyed) {
      const chunk = this.#connection.read(this.#stack.now(), this.readableHighWaterMark * 4);
      if (chunk === undefined) break;
      woke = true;
      this.#bytesRead += chunk.length;
      this.#wantsData = this.push(Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength));
    }
    if (woke) this.#stack.wake();
    if (this.#remoteEnded && !this.#endPushed && this.#connection.readableBytes === 0) {
      this.#endPushed = true;
      this.push(null);
    }
  }

  #writePending(): void {
    const chunk = this.#pendingChunk;
    if (chunk === undefined || (this.#connecting && !this.#writesEarly) || this.destroyed) return;
    if (this.#closed) {
      this.#settleWrite(new SocketError("EPIPE", "write", ""));
      return;
    }
    const taken = this.#connection.write(chunk, this.#stack.now());
    this.#bytesWritten += taken;
    if (taken > 0) this.#stack.wake();
    if (taken < chunk.length) this.#pendingChunk = chunk.subarray(taken);
    else this.#settleWrite(null);
  }

  #settleWrite(error: Error | null): void {
    const callback = this.#pendingCallback;
    this.#pendingChunk = undefined;
    this.#pendingCallback = undefined;
    callback?.(error);
  }
}

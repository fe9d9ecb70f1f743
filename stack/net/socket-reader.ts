/** Takes received bytes from a connection as the reader of the socket asks for them, so that the window tells the peer how fast it reads. */

import type { Connection } from "../host.ts";

/** Made of `onread` by who has checked it. */
export function onreadOf(onread: unknown, socket: unknown): OnReadOptions | undefined {
  if (typeof onread !== "object" || onread === null) return undefined;
  const { buffer, callback } = onread as Partial<OnReadOptions>;
  // As node:net: what is no such pair is none.
  if ((typeof buffer !== "function" && !(buffer instanceof Uint8Array)) || typeof callback !== "function")
    return undefined;
  return { buffer, callback: callback.bind(socket) };
}

/** As `onread` of net.Socket: received bytes are put into a buffer of the application's, and there are no `data` events. */
export interface OnReadOptions {
  /** A function gives a buffer for each read. */
  buffer: Uint8Array | (() => Uint8Array);
  /** False: nothing more before `socket.resume()`. */
  callback: (bytes: number, buffer: Uint8Array) => boolean | void;
}

const nothing = new Uint8Array(0);

export class SocketReader {
  bytesRead = 0;
  /** There is something to read, and the application's buffer has no room at all. */
  lacksRoom = false;
  /** The end of the peer's stream stands behind what the reader has got. */
  ended = false;
  wanted = false;
  /** The peer's stream has ended: after what is readable now comes its end. */
  remoteEnded = false;
  readonly #push: (chunk: Buffer | null) => boolean;
  #onread: OnReadOptions | undefined;
  #stopped = false;
  /** Of the stream, before there was an own buffer. */
  #readAhead: Uint8Array = nothing;
  /** Of `onread`, for the next read. */
  #target: Uint8Array | undefined;

  /** `push` returns whether more is wanted. */
  constructor(push: (chunk: Buffer | null) => boolean, onread: OnReadOptions | undefined) {
    this.#push = push;
    this.#onread = onread;
  }

  get usesOwnBuffer(): boolean {
    return this.#onread !== undefined;
  }

  /** From now on into the application's memory; `readAhead` comes first. */
  useOwnBuffer(onread: OnReadOptions, readAhead: Uint8Array): void {
    this.#onread = onread;
    this.#target = undefined;
    this.#readAhead = readAhead;
  }

  /** Who reads has had enough for now: no memory of the application's is written to any more. */
  pause(connection: Connection | undefined): void {
    this.wanted = false;
    connection?.offer(undefined);
  }

  /** Who reads has had enough, in the middle of it perhaps. */
  stop(connection: Connection | undefined): void {
    this.#stopped = true;
    connection?.offer(undefined);
  }

  /** Reads at most `limit` bytes at once for as long as more is wanted; returns how many in all. */
  pump(connection: Connection, limit: number, now: number): number {
    const before = this.bytesRead;
    while (this.wanted && !this.#stopped && this.#readOnce(connection, limit, now));
    if (this.#onread !== undefined)
      connection.offer(this.wanted && !this.#stopped ? this.#nextTarget(this.#onread) : undefined);
    if (this.remoteEnded && this.wanted && !this.#stopped && !this.ended && !this.#hasReadable(connection)) {
      this.ended = true;
      this.#push(null);
    }
    return this.bytesRead - before;
  }

  /** Whether there was something to read. */
  #readOnce(connection: Connection, limit: number, now: number): boolean {
    if (this.#onread !== undefined) return this.#readInto(this.#onread, connection, now);
    const chunk = connection.read(now, limit);
    if (chunk === undefined) return false;
    this.bytesRead += chunk.length;
    // While it is pushed more may be asked for: that is heard, too.
    this.wanted = false;
    let isMoreWanted = true; // Of who throws, too.
    try {
      isMoreWanted = this.#push(Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength));
    } finally {
      if (isMoreWanted) this.wanted = true;
    }
    return true;
  }

  #readInto(onread: OnReadOptions, connection: Connection, now: number): boolean {
    if (!this.#hasReadable(connection)) return false;
    const target = this.#nextTarget(onread);
    this.lacksRoom = target.length === 0;
    if (this.lacksRoom) return false;
    this.#target = undefined;
    let bytes: number;
    if (this.#readAhead.length > 0) bytes = this.#takeReadAhead(target);
    else {
      bytes = connection.readInto(target, now);
      this.bytesRead += bytes;
    }
    if (onread.callback(bytes, target) === false) this.wanted = false;
    return true;
  }

  #hasReadable(connection: Connection): boolean {
    return this.#readAhead.length > 0 || connection.readableBytes > 0;
  }

  #takeReadAhead(target: Uint8Array): number {
    const bytes = Math.min(this.#readAhead.length, target.length);
    target.set(this.#readAhead.subarray(0, bytes));
    this.#readAhead = this.#readAhead.subarray(bytes);
    return bytes;
  }

  /** As node:net the function is asked ahead, once for each read. */
  #nextTarget({ buffer }: OnReadOptions): Uint8Array {
    return (this.#target ??= typeof buffer === "function" ? buffer() : buffer);
  }
}

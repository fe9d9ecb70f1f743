/** One file descriptor of a script: what a socket is to an application, over the host's listeners and connections. */

import type { Connection, Listener } from "../../host.ts";
import type { ConnectionErrorCode } from "../../mptcp/connection-observer.ts";
import { ConnectionStateError } from "../../mptcp/connection-observer.ts";
import { streamByte } from "../pair.ts";
import { type CallOutcome, type CallResult, wouldBlock } from "./back-end.ts";

export class ScriptSocket {
  readonly mptcp: boolean;
  nonblocking: boolean;
  port: number | undefined;
  address: string | undefined;
  listener: Listener | undefined;
  closed = false;
  lingerReset = false;
  /** What is listened for may bring data with its SYN (TCP_FASTOPEN). */
  fastOpen = false;
  /** Bytes came that are not those of the test stream at their place. */
  corruptAt: number | undefined;
  connection: Connection | undefined;
  #established = false;
  #remoteEnded = false;
  #ended = false;
  #error: ConnectionErrorCode | undefined;
  #received = 0;
  #sent = 0;

  constructor(mptcp: boolean, nonblocking: boolean) {
    this.mptcp = mptcp;
    this.nonblocking = nonblocking;
  }

  attach(connection: Connection): void {
    this.connection = connection;
    this.#established = connection.established;
    connection.observer = {
      onEstablished: () => {
        this.#established = true;
      },
      onReadable: () => {},
      onWritable: () => {},
      onRemoteEnd: () => {
        this.#remoteEnded = true;
      },
      onClosed: (error) => {
        this.#ended = true;
        this.#error = error;
      },
    };
  }

  get established(): boolean {
    return this.#established;
  }

  get readable(): boolean {
    return (
      (this.connection?.readableBytes ?? 0) > 0 ||
      this.#remoteEnded ||
      this.#ended ||
      (this.listener?.hasAcceptable ?? false)
    );
  }

  get writable(): boolean {
    return this.#ended || (this.#established && (this.connection?.writableBytes ?? 0) > 0);
  }

  get remoteEnded(): boolean {
    return this.#remoteEnded;
  }

  get ended(): boolean {
    return this.#ended;
  }

  get error(): ConnectionErrorCode | undefined {
    return this.#error;
  }

  /** SO_ERROR: reading it clears it. */
  takeError(): ConnectionErrorCode | undefined {
    const error = this.#error;
    this.#error = undefined;
    return error;
  }

  connectOutcome(): CallOutcome {
    if (this.#error !== undefined) return { value: -1, errno: this.takeError()! };
    return this.#established ? { value: 0 } : wouldBlock;
  }

  read(length: number, now: number): CallOutcome {
    const { connection } = this;
    if (connection === undefined) return { value: -1, errno: "ENOTCONN" };
    if (this.#error !== undefined && connection.readableBytes === 0) return { value: -1, errno: this.takeError()! };
    let taken = 0;
    while (taken < length) {
      const chunk = connection.read(now, length - taken);
      if (chunk === undefined) break;
      for (const byte of chunk) {
        if (byte !== streamByte(this.#received)) this.corruptAt ??= this.#received;
        this.#received++;
      }
      taken += chunk.length;
    }
    if (taken > 0 || length === 0 || this.#remoteEnded || this.#ended) return { value: taken };
    return wouldBlock;
  }

  write(length: number, now: number): CallOutcome {
    const { connection } = this;
    if (connection === undefined) return { value: -1, errno: "ENOTCONN" };
    if (this.#error !== undefined) return { value: -1, errno: this.takeError()! };
    const chunk = Uint8Array.from({ length }, (_, i) => streamByte(this.#sent + i));
    try {
      const taken = connection.write(chunk, now);
      this.#sent += taken;
      if (taken === 0 && length > 0) return wouldBlock;
      return { value: taken };
    } catch (error) {
      if (error instanceof ConnectionStateError) return { value: -1, errno: error.code };
      throw error;
    }
  }

  close(now: number): CallResult {
    this.closed = true;
    this.listener?.close(now);
    const { connection } = this;
    if (connection === undefined) return { value: 0 };
    // RFC 1122 §4.2.2.13: who closes with data unread resets, so that the peer learns that they are lost; RFC 9293 §3.10.4: an opening is given up.
    if (this.lingerReset || connection.readableBytes > 0 || !this.#established) connection.abort(now);
    else connection.closeWrite(now);
    return { value: 0 };
  }
}

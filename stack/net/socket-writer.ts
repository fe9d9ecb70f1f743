/** What a socket has been given to write and its connection has not taken yet. */

import type { Connection } from "../host.ts";
import { type ApplicationContext, currentContext } from "./application-call.ts";
import { SocketError } from "./socket-error.ts";

export type WriteCallback = (error?: Error | null) => void;

export class SocketWriter {
  /** Bytes of all that `begin` has brought. */
  bytesBegun = 0;
  #chunks: readonly Uint8Array[] = [];
  #next = 0;
  /** Of the chunk that is next. */
  #taken = 0;
  #bytes = 0;
  #callback: WriteCallback | undefined;
  #context: ApplicationContext | undefined;

  /** Of what `begin` brought last, while it is not settled: the stream counts all of that as still its own. */
  get bytesPending(): number {
    return this.#callback === undefined ? 0 : this.#bytes;
  }

  /** Not all that `begin` brought has been taken. */
  get isPending(): boolean {
    return this.#callback !== undefined;
  }

  /** `callback` is called when all of it has been taken. */
  begin(chunks: readonly Uint8Array[], callback: WriteCallback): void {
    this.#chunks = chunks;
    this.#callback = callback;
    this.#next = 0;
    this.#taken = 0;
    this.#bytes = chunks.reduce((sum, { length }) => sum + length, 0);
    this.bytesBegun += this.#bytes;
  }

  /** What is still pending is told of in the context of who has written it. */
  keepContext(): void {
    if (this.isPending) this.#context = currentContext();
  }

  /** Gives the connection what it takes; returns how many bytes. */
  flush(connection: Connection, now: number): number {
    if (this.#callback === undefined) return 0;
    if (connection.closed) {
      this.settle(new SocketError("EPIPE", "write"));
      return 0;
    }
    let takenOfAll = 0;
    while (this.#next < this.#chunks.length) {
      const chunk = this.#chunks[this.#next]!;
      const taken = connection.write(this.#taken === 0 ? chunk : chunk.subarray(this.#taken), now);
      this.#taken += taken;
      takenOfAll += taken;
      if (this.#taken < chunk.length) break;
      this.#next++;
      this.#taken = 0;
    }
    if (this.#next === this.#chunks.length) this.settle(null);
    return takenOfAll;
  }

  /** Nothing more comes of what has not been taken. */
  settle(error: Error | null): void {
    const callback = this.#callback;
    const context = this.#context;
    this.#callback = undefined;
    this.#context = undefined;
    this.#chunks = [];
    if (context === undefined) callback?.(error);
    else context(() => callback?.(error));
  }
}

/** What a socket has been given to write and its connection has not taken yet. */

import type { Connection } from "../host.ts";
import { SocketError } from "./socket-error.ts";

export type WriteCallback = (error?: Error | null) => void;

export class SocketWriter {
  /** Bytes that connections have taken. */
  bytesTaken = 0;
  #chunks: readonly Uint8Array[] = [];
  #next = 0;
  /** Of the chunk that is next. */
  #taken = 0;
  #takenOfAll = 0;
  #callback: WriteCallback | undefined;

  /** Of what `begin` brought last, while it is not settled: the stream counts all of that as still its own. */
  get bytesTakenOfPending(): number {
    return this.#callback === undefined ? 0 : this.#takenOfAll;
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
    this.#takenOfAll = 0;
  }

  /** Gives the connection what it takes; returns how many bytes. */
  flush(connection: Connection, now: number): number {
    if (this.#callback === undefined) return 0;
    if (connection.closed) {
      this.settle(new SocketError("EPIPE", "write"));
      return 0;
    }
    const before = this.#takenOfAll;
    while (this.#next < this.#chunks.length) {
      const chunk = this.#chunks[this.#next]!;
      const taken = connection.write(this.#taken === 0 ? chunk : chunk.subarray(this.#taken), now);
      this.#taken += taken;
      this.#takenOfAll += taken;
      if (this.#taken < chunk.length) break;
      this.#next++;
      this.#taken = 0;
    }
    const taken = this.#takenOfAll - before;
    this.bytesTaken += taken;
    if (this.#next === this.#chunks.length) this.settle(null);
    return taken;
  }

  /** Nothing more comes of what has not been taken. */
  settle(error: Error | null): void {
    const callback = this.#callback;
    this.#callback = undefined;
    this.#chunks = [];
    callback?.(error);
  }
}

import { createHash } from "node:crypto";
import type { TransportSocket } from "../transport.ts";
import { Payload, payloadChunkBytes } from "./payload.ts";

/** Writes a payload to a socket as far as it is allowed and as fast as the socket takes it. Each chunk is made once and never touched again. */
export class PayloadWriter {
  readonly #socket: TransportSocket;
  readonly #payload: Payload;
  readonly #hash = createHash("sha256");
  #allowed = 0;
  #written = 0;
  #blocked = false;
  #endWanted = false;
  #ended = false;

  constructor(socket: TransportSocket, seed: number) {
    this.#socket = socket;
    this.#payload = new Payload(seed);
    // A socket that takes everything at once tells so within the same turn of the event loop: without the pause no timer would ever run.
    socket.on("drain", () => {
      setImmediate(() => {
        this.#blocked = false;
        this.#pump();
      });
    });
  }

  /** Bytes that the socket has taken. */
  get written(): number {
    return this.#written;
  }

  /** Bytes that are allowed and wait for the socket. */
  get backlog(): number {
    return this.#allowed - this.#written;
  }

  /** The payload may be sent up to this offset (`Infinity`: without end). */
  allow(offset: number): void {
    this.#allowed = offset;
    this.#pump();
  }

  /** Half-closes when all that is allowed has been written. */
  end(): void {
    this.#endWanted = true;
    this.#pump();
  }

  /** Half-closes after what the socket has taken already. */
  endNow(): void {
    this.#allowed = this.#written;
    this.end();
  }

  /** Hexadecimal SHA-256 of what was written; once, at the end. */
  digest(): string {
    return this.#hash.digest("hex");
  }

  #pump(): void {
    if (this.#ended || this.#socket.destroyed) return;
    while (!this.#blocked && this.#written < this.#allowed) {
      const chunk = this.#payload.chunk(this.#written, Math.min(payloadChunkBytes, this.#allowed - this.#written));
      this.#hash.update(chunk);
      this.#written += chunk.length;
      this.#blocked = !this.#socket.write(chunk);
    }
    if (this.#endWanted && this.#written >= this.#allowed) {
      this.#ended = true;
      this.#socket.end();
    }
  }
}

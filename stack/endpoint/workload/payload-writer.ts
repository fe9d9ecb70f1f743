import type { Clock } from "../clock.ts";
import type { TransportSocket } from "../transport.ts";
import { Payload, payloadChunkBytes } from "./payload.ts";

/** A socket may take everything at once, and say so within the same turn of the event loop: after this much timers get their turn. */
const turnBytes = 16 * payloadChunkBytes;

/** Writes a payload to a socket as far as it is allowed and as fast as the socket takes it. */
export class PayloadWriter {
  readonly #socket: TransportSocket;
  readonly #payload: Payload;
  readonly #clock: Clock;
  #allowed = 0;
  #written = 0;
  #blocked = false;
  #scheduled = false;
  #endWanted = false;
  #ended = false;

  constructor(socket: TransportSocket, seed: number, clock: Clock) {
    this.#socket = socket;
    this.#payload = new Payload(seed);
    this.#clock = clock;
    socket.on("drain", () => {
      this.#blocked = false;
      this.#continueLater();
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

  #continueLater(): void {
    if (this.#scheduled) return;
    this.#scheduled = true;
    this.#clock.callLater(() => {
      this.#scheduled = false;
      this.#pump();
    });
  }

  #pump(): void {
    if (this.#ended || this.#socket.destroyed) return;
    let turn = turnBytes;
    while (!this.#blocked && this.#written < this.#allowed && turn > 0) {
      const chunk = this.#payload.chunk(this.#written, Math.min(payloadChunkBytes, this.#allowed - this.#written));
      this.#written += chunk.length;
      turn -= chunk.length;
      this.#blocked = !this.#socket.write(chunk);
    }
    if (!this.#blocked && turn <= 0) this.#continueLater();
    if (this.#endWanted && this.#written >= this.#allowed) {
      this.#ended = true;
      this.#socket.end();
    }
  }
}

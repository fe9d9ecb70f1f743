/**
 * In-order payload of a subflow whose mapping has not come: a middlebox that cuts a segment may leave the option on the second half only. It waits for a bounded
 * time (RFC 8684 §3.3.1 allows the mapping to be late).
 */

import type { AgendaEntry } from "../tcp/agenda.ts";

export interface HeldPiece {
  /** Of the subflow's stream. */
  offset: number;
  bytes: Uint8Array;
}

/** The second half of a cut segment follows at once. Less than any data-level timeout: after that the peer sends data again, and its stream is not the data any more. */
const patience = 150_000;
const byteLimit = 262_144;

export class HeldPayload {
  readonly #pieces: HeldPiece[] = [];
  #bytes = 0;
  readonly #agenda: AgendaEntry;

  constructor(agenda: AgendaEntry) {
    this.#agenda = agenda;
  }

  /** When waiting is over. */
  get deadline(): number {
    return this.#agenda.heldUntil;
  }

  get first(): HeldPiece | undefined {
    return this.#pieces[0];
  }

  get byteCount(): number {
    return this.#bytes;
  }

  /** More would be waited for than is reasonable. */
  get isFull(): boolean {
    return this.#bytes > byteLimit;
  }

  /** `piece` follows what is held. */
  add(piece: HeldPiece, now: number): void {
    if (this.#pieces.length === 0) this.#agenda.heldUntil = now + patience;
    this.#pieces.push(piece);
    this.#bytes += piece.bytes.length;
  }

  /** The first `length` bytes have found their place. */
  take(length: number, now: number): void {
    this.#bytes -= length;
    for (let piece = this.#pieces[0]; piece !== undefined && length > 0; piece = this.#pieces[0]) {
      if (piece.bytes.length > length) {
        piece.bytes = piece.bytes.subarray(length);
        piece.offset += length;
        break;
      }
      length -= piece.bytes.length;
      this.#pieces.shift();
    }
    this.#agenda.heldUntil = this.#pieces.length === 0 ? Number.POSITIVE_INFINITY : now + patience;
  }
}

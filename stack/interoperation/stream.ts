/** One end of the connection under test, whoever holds it: the payload of a seed goes out, what comes in is hashed. */

import { payloadSha256 } from "../endpoint/workload/payload.ts";

export interface Received {
  bytes: number;
  /** Hexadecimal, of all bytes so far. */
  sha256: string;
}

export interface Stream {
  /** Appends the next `bytes` bytes of this end's payload. */
  send(bytes: number): void;
  /** Ends this direction after what was sent. */
  end(): void;
  /** Gives up both directions at once. */
  abort(): void;
  pause(): void;
  resume(): void;
  /** Bytes asked to be sent so far. */
  readonly sent: number;
  readonly seed: number;
  readonly received: Received;
  /** The peer's direction has ended in order. */
  readonly remoteEnded: boolean;
  readonly closed: boolean;
  /** The code of the error that ended the connection. */
  readonly error: string | undefined;
}

/** Whether `to` has exactly what `from` sent. */
export function isIntact(from: Pick<Stream, "seed" | "sent">, to: Pick<Stream, "received">): boolean {
  return to.received.bytes === from.sent && to.received.sha256 === payloadSha256(from.seed, from.sent);
}

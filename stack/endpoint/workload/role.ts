import type { Clock } from "../clock.ts";
import type { WorkloadResult } from "../protocol.ts";
import type { TransportSocket } from "../transport.ts";

export interface Progress {
  /** Bytes that reached the application since the progress before. */
  readonly bytes: number;
  readonly playbackBufferMicroseconds?: number;
}

/** The time that a workload's role lives in, and what it tells while it runs. */
export interface RoleContext {
  readonly clock: Clock;
  event(name: string, detail?: Readonly<Record<string, unknown>>): void;
  /** From now on `source` is asked at every metrics interval, and once more at the end. */
  reportProgress(source: (now: number) => Progress): void;
}

/**
 * One side of a workload on a connected socket. Resolves when the side has done and seen all that it should; rejects with the socket's error, or
 * with code EPROTO when the peer did what the workload does not allow.
 */
export type Role = (socket: TransportSocket, connectedAt: number, context: RoleContext) => Promise<WorkloadResult>;

/** An error with a code as of node:net. */
export function codedError(code: string, message: string): NodeJS.ErrnoException {
  return Object.assign(new Error(message), { code });
}

/** Calls `fail` once when the socket ends otherwise than by the peer's end. */
export function watchFailure(socket: TransportSocket, fail: (error: Error) => void): void {
  let failed = false;
  const once = (error: Error): void => {
    if (!failed) fail(error);
    failed = true;
  };
  socket.on("error", once);
  socket.on("close", () => {
    if (!socket.readableEnded)
      once(codedError("ECONNABORTED", "the connection was closed before the peer's end of data"));
  });
}

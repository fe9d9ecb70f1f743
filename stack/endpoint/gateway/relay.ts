/** Two connections made one: what one end says the other hears, its end, its reset and its slowness included. */
import type { Duplex } from "node:stream";

/** What `net.Socket` and `MptcpSocket` have in common here; half-open allowed. */
export interface RelaySocket extends Duplex {
  readonly bytesWritten: number;
  /** RST, or MP_FASTCLOSE. */
  resetAndDestroy(): unknown;
}

export interface RelayResult {
  /** From `near` to `far`, and back. */
  readonly bytesUp: number;
  readonly bytesDown: number;
  /** Of the one that failed first; undefined: both streams came to their ends. */
  readonly error: string | undefined;
}

/**
 * Bytes wait in the buffers of the two sockets and nowhere else: who does not read holds back who writes, over however many hops. `onEnd` is called when both sockets
 * are closed.
 */
export function relay(near: RelaySocket, far: RelaySocket, onEnd: (result: RelayResult) => void): void {
  // What was said before, to set them up, is not the applications'.
  const [beforeUp, beforeDown] = [far.bytesWritten, near.bytesWritten];
  let open = 2;
  let error: string | undefined;
  for (const [socket, other] of [
    [near, far],
    [far, near],
  ] as const) {
    const onClose = (): void => {
      if (!endedWell(socket)) {
        error ??= "ECONNRESET";
        if (!other.destroyed) other.resetAndDestroy();
      }
      if (--open > 0) return;
      onEnd({ bytesUp: far.bytesWritten - beforeUp, bytesDown: near.bytesWritten - beforeDown, error });
    };
    socket.on("error", (reason: NodeJS.ErrnoException) => (error ??= reason.code ?? reason.message));
    // It may have gone while the other was being set up.
    if (socket.closed) process.nextTick(onClose);
    else socket.once("close", onClose);
    socket.pipe(other);
  }
}

function endedWell(socket: RelaySocket): boolean {
  return socket.readableEnded && socket.writableFinished;
}

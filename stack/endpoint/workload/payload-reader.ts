import type { ReceiverResult } from "../protocol.ts";
import type { TransportSocket } from "../transport.ts";
import type { ArrivalMeter } from "./arrival-meter.ts";
import { codedError, watchFailure, type RoleContext } from "./role.ts";
import { StreamHash } from "./stream-hash.ts";

export interface PayloadReaderOptions {
  readonly socket: TransportSocket;
  readonly connectedAt: number;
  readonly context: RoleContext;
  readonly onData?: (bytes: number, now: number) => void;
  /** The peer has sent all. */
  readonly onEnd?: (now: number) => void;
}

/** Reads a socket to its end, hashing and timing what arrives, then closes its own side. Rejects with the socket's error, or ENODATA when nothing came. */
export function readPayload(
  options: PayloadReaderOptions,
  meter: ArrivalMeter,
): Promise<Omit<ReceiverResult, "playback">> {
  const { socket, connectedAt, context } = options;
  const hash = new StreamHash();
  return new Promise((resolve, reject) => {
    watchFailure(socket, reject);
    hashReceived(socket, hash, (bytes) => {
      const now = context.clock.now();
      if (meter.firstAt === undefined) context.event("first-byte");
      meter.arrived(bytes, now);
      options.onData?.(bytes, now);
    });
    socket.on("end", () => {
      const now = context.clock.now();
      options.onEnd?.(now);
      socket.end();
      const { bytes, firstAt, lastAt, longestGapMicroseconds, longestGapAt } = meter;
      context.event("end-of-data", { bytes });
      if (firstAt === undefined || lastAt === undefined) {
        reject(codedError("ENODATA", "the peer ended its data without sending a byte"));
        return;
      }
      const sha256 = hash.digest();
      resolve({
        kind: "receiver",
        bytes,
        sha256,
        connectedAt,
        firstByteAt: firstAt,
        lastByteAt: lastAt,
        longestGapMicroseconds,
        longestGapAt,
      });
    });
  });
}

/** Where the socket can, into memory of the hash's: what comes takes no new memory then. */
function hashReceived(socket: TransportSocket, hash: StreamHash, onBytes: (bytes: number) => void): void {
  if (socket.readInto === undefined) {
    socket.on("data", (chunk: Uint8Array) => {
      hash.update(chunk);
      onBytes(chunk.length);
    });
    return;
  }
  socket.readInto({
    buffer: () => hash.room(),
    callback: (bytes) => {
      hash.received(bytes);
      onBytes(bytes);
    },
  });
}

/** For a side that only sends: resolves when the peer has ended its own side, which says that it has read everything. */
export function awaitPeerEnd(socket: TransportSocket): Promise<void> {
  return new Promise((resolve, reject) => {
    watchFailure(socket, reject);
    socket.on("data", (chunk: Uint8Array) =>
      socket.destroy(codedError("EPROTO", `${chunk.length} unexpected bytes from the receiver`)),
    );
    socket.on("end", resolve);
  });
}

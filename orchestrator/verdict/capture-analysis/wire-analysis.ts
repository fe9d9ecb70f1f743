/** `wire.json`: what the capture shows of every connection of the workloads. Times are microseconds since the run's zero. */
import { z } from "zod";

export interface WireAnalysis {
  readonly schemaVersion: 1;
  readonly capture: {
    readonly frames: number;
    readonly tcpFrames: number;
    /** Frames that the capture itself lost, as its interfaces' statistics say. */
    readonly lostFrames: number;
    /** Why the file could not be read to its end. */
    readonly damage?: string;
  };
  /** Width of the slices of all series. */
  readonly binMicroseconds: number;
  readonly connections: readonly WireConnection[];
}

export interface WireConnection {
  readonly workload: string;
  /** `not-offered`: the client's SYN did not ask for MPTCP. */
  readonly multipath: "negotiated" | "fell-back" | "not-offered";
  readonly fallback?: { readonly at: number; readonly host: string; readonly reason: string };
  readonly subflows: readonly WireSubflow[];
  readonly toServer: WireStream;
  readonly toClient: WireStream;
}

export interface WireSubflow {
  /** `10.0.1.2:40000-10.0.9.2:5001`: who opened it, then the other, as seen at the client. */
  readonly id: string;
  /** The user-side link that it crosses. */
  readonly path: string;
  readonly initial: boolean;
  readonly openedBy: "client" | "server";
  /** The handshake was complete at the side that was called. */
  readonly established: boolean;
  /** Both HMACs of the MP_JOIN are right, by the keys of the connection; absent for the initial subflow and where a part was not captured. */
  readonly authenticated?: boolean;
  readonly backup: boolean;
  readonly openedAt: number;
  readonly establishedAt?: number;
  readonly closedAt?: number;
  readonly closedBy?: "fin" | "reset";
  readonly toServer: WireSubflowDirection;
  readonly toClient: WireSubflowDirection;
}

export interface WireSubflowDirection {
  /** Payload that reached the receiver's interface, repetitions not counted; at the sender's where the receiver's was not captured. */
  readonly payloadBytes: number;
  /** Segments that the sender sent again on this subflow, wholly or in part, and their bytes. */
  readonly retransmissions: number;
  readonly retransmittedBytes: number;
  /** Bytes that the sender had sent over another subflow before. */
  readonly reinjectedBytes: number;
  /** `payloadBytes` per slice. */
  readonly arrivals: readonly number[];
}

export interface WireStream {
  /** When the receiving side had its connection: the SYN/ACK at the client, the ACK of it at the server. */
  readonly openedAt?: number;
  /** Payload that was at the receiver's interface without a hole. */
  readonly bytes: number;
  /** Bytes behind a hole that never closed. */
  readonly bytesBehindHole: number;
  readonly firstAt?: number;
  readonly lastAt?: number;
  /** Payload bits ÷ (last byte − opened). */
  readonly goodputBitsPerSecond?: number;
  readonly longestGapMicroseconds: number;
  readonly longestGapAt: number;
  /** `bytes` per slice. */
  readonly progress: readonly number[];
}

const count = z.number().nonnegative();
const direction = z.strictObject({
  payloadBytes: count,
  retransmissions: count,
  retransmittedBytes: count,
  reinjectedBytes: count,
  arrivals: z.array(count),
});
const stream = z.strictObject({
  openedAt: z.number().exactOptional(),
  bytes: count,
  bytesBehindHole: count,
  firstAt: z.number().exactOptional(),
  lastAt: z.number().exactOptional(),
  goodputBitsPerSecond: count.exactOptional(),
  longestGapMicroseconds: count,
  longestGapAt: z.number(),
  progress: z.array(count),
});

export const wireAnalysisSchema = z.strictObject({
  schemaVersion: z.literal(1),
  capture: z.strictObject({ frames: count, tcpFrames: count, lostFrames: count, damage: z.string().exactOptional() }),
  binMicroseconds: z.number().positive(),
  connections: z.array(
    z.strictObject({
      workload: z.string(),
      multipath: z.enum(["negotiated", "fell-back", "not-offered"]),
      fallback: z.strictObject({ at: z.number(), host: z.string(), reason: z.string() }).exactOptional(),
      subflows: z.array(
        z.strictObject({
          id: z.string(),
          path: z.string(),
          initial: z.boolean(),
          openedBy: z.enum(["client", "server"]),
          established: z.boolean(),
          authenticated: z.boolean().exactOptional(),
          backup: z.boolean(),
          openedAt: z.number(),
          establishedAt: z.number().exactOptional(),
          closedAt: z.number().exactOptional(),
          closedBy: z.enum(["fin", "reset"]).exactOptional(),
          toServer: direction,
          toClient: direction,
        }),
      ),
      toServer: stream,
      toClient: stream,
    }),
  ),
}) satisfies z.ZodType<WireAnalysis>;

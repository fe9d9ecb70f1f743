/**
 * What the orchestrator and the endpoint program inside a host say to each other: NDJSON, commands on stdin, records on stdout, logs on stderr.
 * All times are microseconds of CLOCK_MONOTONIC, which every process of the machine shares. The endpoint ends when its stdin ends.
 */
import type { HostOptions, NamedAlgorithms } from "../host-options.ts";
import type { StackEvent } from "../events.ts";

/** A host as it can be written down: its algorithms by name. */
export type WrittenHostOptions = Omit<HostOptions, "random" | keyof NamedAlgorithms> & NamedAlgorithms;

export type AlgorithmTexts = Readonly<Partial<Record<keyof NamedAlgorithms, string>>>;

/** First line on stdin. */
export interface StartCommand {
  readonly do: "start";
  readonly host: string;
  /** `stack`: our MPTCP stack on packet sockets. `kernel`: node:net (under `mptcpize run` it is the kernel's MPTCP). */
  readonly transport:
    | {
        readonly kind: "stack";
        readonly options: WrittenHostOptions;
        readonly seed: number;
        /** Text of ES modules that export what makes the host's algorithms, in the place of those in `options`. */
        readonly modules?: AlgorithmTexts;
      }
    | { readonly kind: "kernel" };
  readonly metricsIntervalMicroseconds: number;
}

/** Takes a role of a workload. The server side answers `listening`; the client side starts at `startAt`. */
export interface WorkloadCommand {
  readonly do: "workload";
  readonly role: "client" | "server";
  readonly workload: WorkloadDescription;
  /** CLOCK_MONOTONIC microseconds. */
  readonly startAt: number;
}

interface WorkloadBase {
  readonly name: string;
  readonly serverAddress: string;
  readonly port: number;
  readonly payloadSeed: number;
  /** TCP_NODELAY, at this side of the connection. Default false. */
  readonly noDelay?: boolean;
}

export interface BulkDescription extends WorkloadBase {
  readonly kind: "bulk";
  /** Which side sends the bytes. */
  readonly sender: "client" | "server";
  /** Exactly one of the two is given. */
  readonly sizeBytes?: number;
  readonly durationMicroseconds?: number;
}

export interface StreamDescription extends WorkloadBase {
  readonly kind: "stream";
  readonly sender: "client" | "server";
  readonly rateBitsPerSecond: number;
  readonly segmentMicroseconds: number;
  readonly playbackBufferMicroseconds: number;
  readonly durationMicroseconds: number;
}

export interface RequestResponseDescription extends WorkloadBase {
  readonly kind: "request-response";
  readonly requestBytes: number;
  readonly responseBytes: number;
  readonly intervalMicroseconds: number;
  readonly count: number;
}

export type WorkloadDescription = BulkDescription | StreamDescription | RequestResponseDescription;

export interface StopCommand {
  readonly do: "stop";
}

export type EndpointCommand = StartCommand | WorkloadCommand | StopCommand;

/** One line on stdout. */
export type EndpointRecord =
  | {
      readonly type: "ready";
      readonly time: number;
      readonly pid: number;
      readonly versions: Readonly<Record<string, string>>;
    }
  | { readonly type: "listening"; readonly time: number; readonly workload: string; readonly port: number }
  /** A decision of our stack; kernel endpoints have none. */
  | { readonly type: "event"; readonly time: number; readonly event: StackEvent }
  /** Something that the workload did or met: connected, segment late, stall begun, stall ended, end of data. */
  | {
      readonly type: "workload-event";
      readonly time: number;
      readonly workload: string;
      readonly name: string;
      readonly detail?: Readonly<Record<string, unknown>>;
    }
  | {
      readonly type: "metrics";
      readonly time: number;
      readonly workload?: string;
      readonly connection: ConnectionMetrics;
      readonly subflows: readonly SubflowMetrics[];
    }
  /** Bytes that reached the application since the record before, at the same interval as metrics. */
  | {
      readonly type: "progress";
      readonly time: number;
      readonly workload: string;
      readonly bytes: number;
      readonly playbackBufferMicroseconds?: number;
    }
  | {
      readonly type: "result";
      readonly time: number;
      readonly workload: string;
      readonly role: "client" | "server";
      readonly result: WorkloadResult;
    }
  /** `workload` absent: the endpoint itself failed and will exit with 3 (machine) or 4 (internal). */
  | {
      readonly type: "error";
      readonly time: number;
      readonly workload?: string;
      readonly code: string;
      readonly message: string;
    };

export interface ConnectionMetrics {
  /** Same string for all records of one connection on this host. */
  readonly id: string;
  readonly mptcp: boolean;
  readonly fallback?: string;
  readonly bytesSent: number;
  readonly bytesReceived: number;
  /** Data-level bytes waiting for a hole to be filled. Absent where the kernel does not say. */
  readonly reassemblyQueueBytes?: number;
  readonly sendWindowBytes?: number;
  readonly receiveWindowBytes?: number;
}

export interface SubflowMetrics {
  /** `10.0.1.2:40000-10.0.9.2:5001`: local then remote. */
  readonly id: string;
  readonly interface?: string;
  readonly state: string;
  readonly backup: boolean;
  readonly stale?: boolean;
  readonly congestionWindowBytes: number;
  /** Absent while the threshold is infinite. */
  readonly slowStartThresholdBytes?: number;
  readonly smoothedRttMicroseconds: number;
  readonly bytesInFlight: number;
  readonly bytesAcked: number;
  readonly bytesReceived: number;
  readonly retransmissions: number;
  readonly reinjections?: number;
}

/** Gaps are between two arrivals of data at the application, within the transfer. */
export interface ReceiverResult {
  readonly kind: "receiver";
  readonly bytes: number;
  readonly sha256: string;
  readonly connectedAt: number;
  readonly firstByteAt: number;
  readonly lastByteAt: number;
  readonly longestGapMicroseconds: number;
  readonly longestGapAt: number;
  /** Streams only. */
  readonly playback?: {
    readonly startedAt: number;
    readonly stalls: readonly { readonly at: number; readonly microseconds: number }[];
  };
}

/** Of what it sent only how much: which bytes those are the seed says. */
export interface SenderResult {
  readonly kind: "sender";
  readonly bytes: number;
  readonly connectedAt: number;
}

export interface RequesterResult {
  readonly kind: "requester";
  readonly requests: number;
  readonly responses: number;
  /** Hash over all response bytes in order. */
  readonly sha256: string;
  readonly latenciesMicroseconds: readonly number[];
  readonly longestGapMicroseconds: number;
  readonly longestGapAt: number;
  readonly connectedAt: number;
}

export interface ResponderResult {
  readonly kind: "responder";
  readonly requests: number;
  readonly sha256: string;
}

export type WorkloadResult = ReceiverResult | SenderResult | RequesterResult | ResponderResult;

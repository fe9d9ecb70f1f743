/** One line of `metrics.ndjson`: the values of one entity at one time (microseconds since the run's zero). */
export type MetricSample = SubflowSample | ConnectionSample | LinkMetricSample | WorkloadSample;

interface SampleBase {
  readonly time: number;
}

export interface SubflowSample extends SampleBase {
  readonly kind: "subflow";
  readonly host: string;
  readonly connection: string;
  /** `10.0.1.2:40000-10.0.9.2:5001`, local then remote. */
  readonly subflow: string;
  /** The user-side link that it crosses (`wifi`), from the plan's addresses. */
  readonly path: string;
  readonly state: string;
  readonly congestionWindowBytes: number;
  readonly slowStartThresholdBytes?: number;
  readonly smoothedRttMicroseconds: number;
  readonly bytesInFlight: number;
  readonly bytesAcked: number;
  readonly bytesReceived: number;
  readonly retransmissions: number;
  readonly reinjections?: number;
}

export interface ConnectionSample extends SampleBase {
  readonly kind: "connection";
  readonly host: string;
  readonly connection: string;
  readonly mptcp: boolean;
  readonly bytesSent: number;
  readonly bytesReceived: number;
  readonly reassemblyQueueBytes?: number;
  readonly sendWindowBytes?: number;
  readonly receiveWindowBytes?: number;
}

/** Counters are totals since the run began to sample; `rateBitsPerSecond` is what it carried since the sample before. */
export interface LinkMetricSample extends SampleBase {
  readonly kind: "link";
  readonly link: string;
  readonly direction: "forward" | "backward";
  readonly packets: number;
  readonly bytes: number;
  readonly rateBitsPerSecond: number;
  readonly queueBytes: number;
  readonly dropsQueue: number;
  readonly dropsLoss: number;
  readonly dropsBlackhole: number;
}

export interface WorkloadSample extends SampleBase {
  readonly kind: "workload";
  readonly workload: string;
  /** Delivered to the application since the sample before. */
  readonly bytes: number;
  readonly goodputBitsPerSecond: number;
  readonly playbackBufferMicroseconds?: number;
}

/** What the data files of a bundle hold, checked where they are read. */
import { z } from "zod";
import type { WorkloadResult } from "../../stack/endpoint/protocol.ts";
import type { MetricSample } from "../metrics/metric-sample.ts";
import type { TimelineEvent } from "../metrics/timeline-event.ts";
import type { DirectionMeasurement } from "../path/measure/measurement.ts";
import type { PlannedWorkload } from "../plan/plan.ts";
import type { ProgramResult } from "../workload/application/program-result.ts";
import type { LinkQuality } from "../substrate/substrate.ts";

const count = z.number().nonnegative();
const optionalCount = count.exactOptional();
const time = z.number();

export const timelineEventSchema = z.strictObject({
  time,
  source: z.enum(["lab", "link", "fault", "workload", "endpoint"]),
  subject: z.string(),
  name: z.string(),
  message: z.string(),
  detail: z.record(z.string(), z.unknown()).exactOptional(),
  section: z.string().exactOptional(),
}) satisfies z.ZodType<TimelineEvent>;

export const metricSampleSchema = z.discriminatedUnion("kind", [
  z.strictObject({
    kind: z.literal("subflow"),
    time,
    host: z.string(),
    connection: z.string(),
    subflow: z.string(),
    path: z.string(),
    state: z.string(),
    congestionWindowBytes: count,
    slowStartThresholdBytes: optionalCount,
    smoothedRttMicroseconds: count,
    bytesInFlight: count,
    bytesAcked: count,
    bytesReceived: count,
    retransmissions: count,
    reinjections: optionalCount,
  }),
  z.strictObject({
    kind: z.literal("connection"),
    time,
    host: z.string(),
    connection: z.string(),
    mptcp: z.boolean(),
    bytesSent: count,
    bytesReceived: count,
    reassemblyQueueBytes: optionalCount,
    sendWindowBytes: optionalCount,
    receiveWindowBytes: optionalCount,
  }),
  z.strictObject({
    kind: z.literal("link"),
    time,
    link: z.string(),
    direction: z.enum(["forward", "backward"]),
    packets: count,
    bytes: count,
    rateBitsPerSecond: count,
    queueBytes: count,
    dropsQueue: count,
    dropsLoss: count,
    dropsBlackhole: count,
  }),
  z.strictObject({
    kind: z.literal("workload"),
    time,
    workload: z.string(),
    bytes: count,
    goodputBitsPerSecond: count,
    playbackBufferMicroseconds: optionalCount,
  }),
]) satisfies z.ZodType<MetricSample>;

const workloadResultSchema = z.discriminatedUnion("kind", [
  z.strictObject({
    kind: z.literal("receiver"),
    bytes: count,
    sha256: z.string(),
    connectedAt: time,
    firstByteAt: time,
    lastByteAt: time,
    longestGapMicroseconds: count,
    longestGapAt: time,
    playback: z
      .strictObject({ startedAt: time, stalls: z.array(z.strictObject({ at: time, microseconds: count })) })
      .exactOptional(),
  }),
  z.strictObject({ kind: z.literal("sender"), bytes: count, connectedAt: time }),
  z.strictObject({
    kind: z.literal("requester"),
    requests: count,
    responses: count,
    sha256: z.string(),
    latenciesMicroseconds: z.array(count),
    longestGapMicroseconds: count,
    longestGapAt: time,
    connectedAt: time,
  }),
  z.strictObject({ kind: z.literal("responder"), requests: count, sha256: z.string() }),
]) satisfies z.ZodType<WorkloadResult>;

const programResultSchema = z.strictObject({
  kind: z.literal("program"),
  exitCode: z.number().exactOptional(),
  signal: z.string().exactOptional(),
  startedAt: time,
  endedAt: time,
  files: z.array(
    z.strictObject({
      name: z.string(),
      source: z.string(),
      sourceBytes: count,
      sourceSha256: z.string(),
      bytes: optionalCount,
      sha256: z.string().exactOptional(),
    }),
  ),
  played: z
    .strictObject({
      segments: z.array(z.strictObject({ bytes: count, microseconds: count })),
      progress: z.array(z.strictObject({ at: time, mediaMicroseconds: count, frames: count })),
    })
    .exactOptional(),
}) satisfies z.ZodType<ProgramResult>;

const anyResultSchema = z.discriminatedUnion("kind", [...workloadResultSchema.options, programResultSchema]);

/** `results.json`: what each side of each workload said; times are microseconds since the run's zero. */
export interface ResultsRecord {
  readonly workloads: readonly WorkloadOutcome[];
}

/** A side is absent when it never reported; `errors` says what it said instead. */
export interface WorkloadOutcome {
  readonly workload: string;
  readonly client?: WorkloadResult | ProgramResult;
  readonly server?: WorkloadResult | ProgramResult;
  readonly errors: readonly { readonly role: "client" | "server"; readonly code: string; readonly message: string }[];
}

export const resultsSchema = z.strictObject({
  workloads: z.array(
    z.strictObject({
      workload: z.string(),
      client: anyResultSchema.exactOptional(),
      server: anyResultSchema.exactOptional(),
      errors: z.array(z.strictObject({ role: z.enum(["client", "server"]), code: z.string(), message: z.string() })),
    }),
  ),
}) satisfies z.ZodType<ResultsRecord>;

/** A line of `flows.ndjson`: one transfer. Times are microseconds since the run's zero; what nobody said is absent. */
export interface FlowRecord {
  readonly flow: string;
  readonly traffic?: string;
  readonly kind: PlannedWorkload["kind"];
  /** Who sends and who receives; of request and response, the response. */
  readonly from: string;
  readonly to: string;
  readonly startAt: number;
  readonly connectedAt?: number;
  /** Its last byte at the receiver. */
  readonly endAt?: number;
  readonly bytes?: number;
  readonly error?: string;
  /** Segments, over all subflows. */
  readonly retransmissions: number;
  readonly subflows: readonly FlowSubflow[];
}

export interface FlowSubflow {
  /** At the sender: `10.0.1.2:40000-10.0.9.2:5001`. */
  readonly id: string;
  /** That its segments cross, from the sender on, by the routes of the plan; absent where a kernel chooses among several paths. */
  readonly links?: readonly string[];
  readonly bytesAcked: number;
  readonly retransmissions: number;
  readonly reinjections?: number;
}

export const flowSchema = z.strictObject({
  flow: z.string(),
  traffic: z.string().exactOptional(),
  kind: z.enum(["bulk", "stream", "request-response", "application"]),
  from: z.string(),
  to: z.string(),
  startAt: time,
  connectedAt: time.exactOptional(),
  endAt: time.exactOptional(),
  bytes: optionalCount,
  error: z.string().exactOptional(),
  retransmissions: count,
  subflows: z.array(
    z.strictObject({
      id: z.string(),
      links: z.array(z.string()).exactOptional(),
      bytesAcked: count,
      retransmissions: count,
      reinjections: optionalCount,
    }),
  ),
}) satisfies z.ZodType<FlowRecord>;

/** What a direction of a link carried in the run. */
export interface LinkLoad {
  readonly link: string;
  readonly direction: "forward" | "backward";
  readonly packets: number;
  readonly bytes: number;
  readonly dropsQueue: number;
  readonly dropsLoss: number;
  readonly dropsBlackhole: number;
}

/** `links.json`: every measured link direction, before the run, and how well the links kept their times in it. */
export interface LinksRecord {
  readonly measurements: readonly DirectionMeasurement[];
  readonly quality?: LinkQuality;
  /** Of each shaped link, from its first sample to its last. */
  readonly loads?: readonly LinkLoad[];
}

/** JSON has no NaN: a figure of which no probe arrived is written as null. */
const measuredNumber = z.union([z.number(), z.null().transform(() => NaN)]);

const linkDirectionConfigSchema = z.strictObject({
  rateBitsPerSecond: optionalCount,
  queue: z
    .strictObject({ bytes: optionalCount, packets: optionalCount, timeMicroseconds: optionalCount })
    .exactOptional(),
  queueManagement: z
    .discriminatedUnion("kind", [
      z.strictObject({ kind: z.literal("codel"), targetMicroseconds: count, intervalMicroseconds: count }),
      z.strictObject({
        kind: z.literal("red"),
        leastBytes: count,
        mostBytes: count,
        probability: count,
        weight: count,
      }),
    ])
    .exactOptional(),
  trace: z.strictObject({ opportunitiesMilliseconds: z.array(count) }).exactOptional(),
  delayMicroseconds: optionalCount,
  jitter: z
    .strictObject({ microseconds: count, distribution: z.enum(["uniform", "normal"]), reorder: z.boolean() })
    .exactOptional(),
  loss: z
    .discriminatedUnion("kind", [
      z.strictObject({ kind: z.literal("bernoulli"), probability: count }),
      z.strictObject({
        kind: z.literal("gilbert-elliott"),
        pGoodToBad: count,
        pBadToGood: count,
        lossGood: count,
        lossBad: count,
      }),
      z.strictObject({ kind: z.literal("listed"), packets: z.array(count) }),
    ])
    .exactOptional(),
  seed: z.number(),
});

const measuredFiguresSchema = z.strictObject({
  rateBitsPerSecond: measuredNumber.exactOptional(),
  delayMicroseconds: measuredNumber,
  loss: z
    .strictObject({ probability: z.number(), interval: z.tuple([z.number(), z.number()]), probes: count })
    .exactOptional(),
});

export const linksSchema = z.strictObject({
  measurements: z.array(
    z.strictObject({
      link: z.string(),
      direction: z.enum(["forward", "backward"]),
      configured: linkDirectionConfigSchema,
      measured: measuredFiguresSchema,
      attempts: z.array(measuredFiguresSchema),
      withinTolerance: z.boolean(),
      tolerance: z.strictObject({ rateShare: count, delayMicroseconds: count }),
    }),
  ),
  loads: z
    .array(
      z.strictObject({
        link: z.string(),
        direction: z.enum(["forward", "backward"]),
        packets: count,
        bytes: count,
        dropsQueue: count,
        dropsLoss: count,
        dropsBlackhole: count,
      }),
    )
    .exactOptional(),
  quality: z
    .strictObject({
      realisation: z.string(),
      scheduling: z.string(),
      releases: count,
      latenessMicroseconds: z.strictObject({ p50: z.number(), p99: z.number(), max: z.number() }),
    })
    .exactOptional(),
}) satisfies z.ZodType<LinksRecord>;

/** `counters.json`: kernel counters (`nstat` names) of every node, what they moved by during the run. */
export type CountersRecord = Readonly<Record<string, Readonly<Record<string, number>>>>;

export const countersSchema = z.record(
  z.string(),
  z.record(z.string(), z.number()),
) satisfies z.ZodType<CountersRecord>;

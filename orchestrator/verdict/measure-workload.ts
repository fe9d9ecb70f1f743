/**
 * What there is to know of one workload, from two witnesses: the wire (read from the capture) and the application. The wire comes first; an application's word
 * counts where it is against itself (a lower rate, a longer gap, more stalls), never where it is for itself.
 */
import { payloadSha256, responseSeed } from "../../stack/endpoint/workload/payload.ts";
import { PlaybackBuffer } from "../../stack/endpoint/workload/playback-buffer.ts";
import { streamBytes } from "../../stack/endpoint/workload/segment-schedule.ts";
import type { WorkloadOutcome } from "../bundle/records.ts";
import { goodputOf } from "./goodput.ts";
import type { PlannedStream, PlannedWorkload } from "../plan/plan.ts";
import type { ApplicationEvidence } from "./measure-application.ts";
import { measureApplication } from "./measure-application.ts";
import type {
  WireAnalysis,
  WireConnection,
  WireStream,
  WireSubflow,
  WireSubflowDirection,
} from "./capture-analysis/wire-analysis.ts";

export type Witness = "capture" | "application" | "SHA-256 of the bytes";

export interface Measured<T> {
  readonly value: T;
  readonly witness: Witness;
}

/** A figure is absent where neither witness knows it. */
export interface WorkloadMeasurements {
  /** Payload bits delivered ÷ (last byte − connection opened), at the receiver. */
  readonly goodputBitsPerSecond?: Measured<number>;
  /** Established, their joins authenticated, and payload arrived over them. */
  readonly subflows?: Measured<number>;
  /** By the user-side link: what part of the payload came over it, 0 to 1. A path over which nothing came may be absent. */
  readonly pathShares?: Measured<Readonly<Record<string, number>>>;
  /** Between two steps forward of the stream at the receiver; where it never came to its end, the time without a byte at the end of the run counts too. */
  readonly longestGapMicroseconds?: Measured<number>;
  readonly stalls?: Measured<number>;
  readonly intact?: Measured<boolean>;
  /** Of applications: payload that arrived in order at the receiver. */
  readonly bytes?: Measured<number>;
  readonly exitCode?: Measured<number>;
  /** Of players: pictures shown, and the longest time that one stood still for want of the next. */
  readonly frames?: Measured<number>;
  readonly longestStallMicroseconds?: Measured<number>;
  /** By how much the player fell behind the time of its first picture. */
  readonly latenessMicroseconds?: Measured<number>;
  /** Undefined of a workload none of whose connections came about. */
  readonly fellBack?: Measured<boolean | undefined>;
  /** From the workload's start to its last byte; infinite where it never came to its end. */
  readonly completionMicroseconds?: Measured<number>;
  readonly latenciesMicroseconds?: Measured<readonly number[]>;
  /** Why `intact` is false. */
  readonly damage?: string;
}

export interface WorkloadWitnesses {
  readonly workload: PlannedWorkload;
  /** What the two sides said. */
  readonly outcome: WorkloadOutcome | undefined;
  /** What the capture shows; absent where there is none. */
  readonly wire: WireAnalysis | undefined;
  /** End of the run, since its zero. */
  readonly endedAtMicroseconds: number;
  /** Whether the client was meant to speak MPTCP. */
  readonly multipathWanted: boolean;
}

/** The side to which the judged bytes flow. */
export function receivingSide(workload: PlannedWorkload): "client" | "server" {
  return workload.kind === "request-response" || workload.to === workload.client ? "client" : "server";
}

export function deliveredStream(workload: PlannedWorkload, connection: WireConnection): WireStream {
  return receivingSide(workload) === "client" ? connection.toClient : connection.toServer;
}

export function deliveredDirection(workload: PlannedWorkload, subflow: WireSubflow): WireSubflowDirection {
  return receivingSide(workload) === "client" ? subflow.toClient : subflow.toServer;
}

export function measureWorkload(witnesses: WorkloadWitnesses): WorkloadMeasurements {
  const { workload, outcome, wire } = witnesses;
  const connections = wire?.connections.filter((connection) => connection.workload === workload.name) ?? [];
  const streams = connections.map((connection) => deliveredStream(workload, connection));
  const application = applicationEvidence(witnesses);
  if (application !== undefined) {
    const multipath = connections.length === 0 ? {} : measureMultipath(witnesses, connections);
    return { ...multipath, ...measureApplication(application) };
  }
  const requester = outcome?.client?.kind === "requester" ? outcome.client : undefined;
  return {
    ...measureGoodput(witnesses, streams),
    ...(wire === undefined || connections.length === 0 ? {} : measureMultipath(witnesses, connections)),
    ...measureGap(witnesses, streams),
    ...measureStalls(witnesses, streams),
    ...measureIntact(workload, outcome),
    ...measureCompletion(witnesses, streams),
    ...(requester === undefined
      ? {}
      : { latenciesMicroseconds: { value: requester.latenciesMicroseconds, witness: "application" as const } }),
  };
}

/** Undefined of workloads of our own programs. */
export function applicationEvidence(witnesses: WorkloadWitnesses): ApplicationEvidence | undefined {
  const { workload, outcome, wire, endedAtMicroseconds } = witnesses;
  if (workload.kind !== "application") return undefined;
  const connections = wire?.connections.filter((connection) => connection.workload === workload.name);
  return {
    workload,
    outcome,
    streams: connections?.map((connection) => deliveredStream(workload, connection)),
    binMicroseconds: wire?.binMicroseconds ?? 0,
    endedAtMicroseconds,
  };
}

/** Bytes that have to arrive; undefined where only a duration is given. */
export function expectedBytes(workload: PlannedWorkload): number | undefined {
  switch (workload.kind) {
    case "bulk":
      return workload.sizeBytes;
    case "stream":
      return streamBytes(workload);
    case "request-response":
      return workload.count * workload.responseBytes;
    case "application":
      // Whatever its own protocol makes of the files that it asks for.
      return undefined;
  }
}

function receiverOf(workload: PlannedWorkload, outcome: WorkloadOutcome | undefined) {
  const result = outcome?.[receivingSide(workload)];
  return result?.kind === "receiver" ? result : undefined;
}

function measureGoodput(
  { workload, outcome }: WorkloadWitnesses,
  streams: readonly WireStream[],
): WorkloadMeasurements {
  const receiver = receiverOf(workload, outcome);
  const atApplication = receiver && goodputOf(receiver.bytes, receiver.connectedAt, receiver.lastByteAt);
  const opened = Math.min(...streams.map(({ openedAt }) => openedAt ?? Infinity));
  const last = Math.max(...streams.map(({ lastAt }) => lastAt ?? -Infinity));
  const onWire = goodputOf(sum(streams.map(({ bytes }) => bytes)), opened, last);
  const value = worse(onWire, atApplication, Math.min);
  return value === undefined ? {} : { goodputBitsPerSecond: value };
}

function measureMultipath(
  { workload, multipathWanted }: WorkloadWitnesses,
  connections: readonly WireConnection[],
): WorkloadMeasurements {
  const carried = (subflow: WireSubflow): boolean =>
    subflow.established && subflow.authenticated !== false && deliveredDirection(workload, subflow).payloadBytes > 0;
  return {
    subflows: {
      value: Math.max(...connections.map(({ subflows }) => subflows.filter(carried).length)),
      witness: "capture",
    },
    ...measureShares(
      workload,
      connections.flatMap(({ subflows }) => subflows),
    ),
    fellBack: { value: didFallBack(multipathWanted, connections), witness: "capture" },
  };
}

function didFallBack(multipathWanted: boolean, connections: readonly WireConnection[]): boolean | undefined {
  const opened = connections.filter(({ subflows }) =>
    subflows.some(({ initial, established }) => initial && established),
  );
  if (opened.length === 0) return undefined;
  return opened.some(({ multipath }) => multipath === "fell-back" || (multipath === "not-offered" && multipathWanted));
}

function measureShares(workload: PlannedWorkload, subflows: readonly WireSubflow[]): WorkloadMeasurements {
  const bytes = new Map<string, number>();
  for (const subflow of subflows)
    bytes.set(subflow.path, (bytes.get(subflow.path) ?? 0) + deliveredDirection(workload, subflow).payloadBytes);
  const total = sum([...bytes.values()]);
  if (total === 0) return {};
  const shares = Object.fromEntries([...bytes].map(([path, own]) => [path, own / total]));
  return { pathShares: { value: shares, witness: "capture" } };
}

function measureGap(witnesses: WorkloadWitnesses, streams: readonly WireStream[]): WorkloadMeasurements {
  const { workload, outcome, endedAtMicroseconds } = witnesses;
  const expected = expectedBytes(workload);
  const arrived = sum(streams.map(({ bytes }) => bytes));
  const openEnd = (lastAt: number | undefined): number =>
    lastAt !== undefined && expected !== undefined && arrived < expected ? endedAtMicroseconds - lastAt : 0;
  const gaps = streams.flatMap((stream) =>
    stream.firstAt === undefined ? [] : [Math.max(stream.longestGapMicroseconds, openEnd(stream.lastAt))],
  );
  const onWire = gaps.length === 0 ? undefined : Math.max(...gaps);
  const result = outcome?.[receivingSide(workload)];
  const atApplication =
    result?.kind === "receiver" || result?.kind === "requester" ? result.longestGapMicroseconds : undefined;
  const value = worse(onWire, atApplication, Math.max);
  return value === undefined ? {} : { longestGapMicroseconds: value };
}

function measureStalls(
  { workload, outcome, wire, endedAtMicroseconds }: WorkloadWitnesses,
  streams: readonly WireStream[],
): WorkloadMeasurements {
  if (workload.kind !== "stream") return {};
  const [stream] = streams;
  const onWire =
    wire === undefined || stream === undefined
      ? undefined
      : stallsOnWire(workload, stream, wire.binMicroseconds, endedAtMicroseconds);
  const value = worse(onWire, receiverOf(workload, outcome)?.playback?.stalls.length, Math.max);
  return value === undefined ? {} : { stalls: value };
}

/** Plays what arrived at the receiver's interface; infinite where that never was enough to begin. A slice's bytes count from its beginning, so that slicing never makes a stall. */
function stallsOnWire(
  workload: PlannedStream,
  stream: WireStream,
  binMicroseconds: number,
  endedAtMicroseconds: number,
): number {
  const playback = new PlaybackBuffer({
    rateBitsPerSecond: workload.rateBitsPerSecond,
    thresholdMicroseconds: workload.playbackBufferMicroseconds,
    totalBytes: streamBytes(workload),
  });
  stream.progress.forEach((bytes, bin) => {
    if (bytes > 0) playback.arrived(bytes, bin * binMicroseconds);
  });
  playback.handleTimeout(endedAtMicroseconds);
  if (playback.startedAt === undefined) return Infinity;
  return playback.stalls.length + (playback.state === "stalled" ? 1 : 0);
}

function measureIntact(workload: PlannedWorkload, outcome: WorkloadOutcome | undefined): WorkloadMeasurements {
  const damage = findDamage(workload, outcome);
  const intact = { value: damage === undefined, witness: "SHA-256 of the bytes" } as const;
  return damage === undefined ? { intact } : { intact, damage };
}

/** Hashes what should have arrived; nobody is asked what was sent but for how much, where only time limits it. */
function findDamage(workload: PlannedWorkload, outcome: WorkloadOutcome | undefined): string | undefined {
  const [failure] = outcome?.errors ?? [];
  const reason = failure === undefined ? "" : ` (${failure.role}: ${failure.code} ${failure.message})`;
  const result = outcome?.[receivingSide(workload)];
  const expected = expectedBytes(workload) ?? senderBytes(outcome);
  if (workload.kind === "request-response") {
    if (result?.kind !== "requester") return `the requester reported no result${reason}`;
    if (result.responses !== workload.count)
      return `${result.responses} of ${workload.count} responses arrived${reason}`;
    const seed = responseSeed(workload.payloadSeed);
    return payloadSha256(seed, expected ?? 0) === result.sha256
      ? undefined
      : "the response bytes are not those that were sent";
  }
  if (result?.kind !== "receiver") return `the receiver reported no result${reason}`;
  if (expected === undefined) return `the sender did not say how much it sent${reason}`;
  if (result.bytes !== expected) return `${result.bytes} of ${expected} bytes arrived${reason}`;
  return payloadSha256(workload.payloadSeed, expected) === result.sha256
    ? undefined
    : "the bytes are not those that were sent";
}

function senderBytes(outcome: WorkloadOutcome | undefined): number | undefined {
  return [outcome?.client, outcome?.server].find((result) => result?.kind === "sender")?.bytes;
}

function measureCompletion(
  { workload, outcome }: WorkloadWitnesses,
  streams: readonly WireStream[],
): WorkloadMeasurements {
  const expected = expectedBytes(workload) ?? senderBytes(outcome);
  const lastAt = Math.max(...streams.map((stream) => stream.lastAt ?? -Infinity));
  const complete = expected !== undefined && sum(streams.map(({ bytes }) => bytes)) >= expected;
  const onWire = streams.length === 0 ? undefined : complete ? lastAt - workload.startMicroseconds : Infinity;
  const receiver = receiverOf(workload, outcome);
  const atApplication = receiver === undefined ? undefined : receiver.lastByteAt - workload.startMicroseconds;
  const value = worse(onWire, atApplication, Math.max);
  return value === undefined ? {} : { completionMicroseconds: value };
}

/** The wire's figure, unless the application itself says worse. */
function worse(
  onWire: number | undefined,
  atApplication: number | undefined,
  worst: (one: number, other: number) => number,
): Measured<number> | undefined {
  if (onWire === undefined)
    return atApplication === undefined ? undefined : { value: atApplication, witness: "application" };
  if (atApplication === undefined || worst(onWire, atApplication) === onWire)
    return { value: onWire, witness: "capture" };
  return { value: atApplication, witness: "application" };
}

/** Why the workload came to nothing, by its own word; undefined: it does not say so. */
export function failureOf(outcome: WorkloadOutcome | undefined): string | undefined {
  const [failure] = outcome?.errors ?? [];
  if (failure !== undefined) return `${failure.role}: ${failure.code} ${failure.message}`;
  const exitCode = outcome?.client?.kind === "program" ? outcome.client.exitCode : undefined;
  return exitCode === undefined || exitCode === 0 ? undefined : `client: ended with ${exitCode}`;
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}

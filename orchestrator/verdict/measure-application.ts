/** What there is to know of programs that nobody changed: the capture, the end of the client, its files, and, of a player, the pictures it showed. */
import type { WorkloadOutcome } from "../bundle/records.ts";
import { goodputOf } from "./goodput.ts";
import type { PlannedApplication } from "../plan/plan.ts";
import type { PlayerProgress, ProgramResult } from "../workload/application/program-result.ts";
import type { WireStream } from "./capture-analysis/wire-analysis.ts";
import type { Measured, WorkloadMeasurements } from "./measure-workload.ts";
import { viewArrivals, viewPictures } from "./video-playback.ts";
import type { Viewing } from "./video-playback.ts";

export interface ApplicationEvidence {
  readonly workload: PlannedApplication;
  readonly outcome: WorkloadOutcome | undefined;
  /** To the side that receives, of each connection; undefined where nothing was captured. */
  readonly streams: readonly WireStream[] | undefined;
  readonly binMicroseconds: number;
  readonly endedAtMicroseconds: number;
}

export function measureApplication(evidence: ApplicationEvidence): WorkloadMeasurements {
  const { workload, outcome, streams } = evidence;
  const client = clientOf(outcome);
  const seen = streams?.filter(({ firstAt }) => firstAt !== undefined) ?? [];
  return {
    ...(streams !== undefined && { bytes: byCapture(sum(streams.map(({ bytes }) => bytes))) }),
    ...measureGoodput(seen),
    ...measureGap(evidence, seen),
    // Whom a signal ended has none, which no number stands for.
    exitCode: { value: client?.exitCode ?? Infinity, witness: "application" },
    ...measureCompletion(workload, client, seen),
    ...measureFiles(workload, outcome, client),
    ...measurePlayback(evidence, client),
  };
}

function clientOf(outcome: WorkloadOutcome | undefined): ProgramResult | undefined {
  return outcome?.client?.kind === "program" ? outcome.client : undefined;
}

function measureGoodput(streams: readonly WireStream[]): WorkloadMeasurements {
  const opened = Math.min(...streams.map(({ openedAt }) => openedAt ?? Infinity));
  const last = Math.max(...streams.map(({ lastAt }) => lastAt ?? -Infinity));
  const goodput = goodputOf(sum(streams.map(({ bytes }) => bytes)), opened, last);
  return goodput === undefined ? {} : { goodputBitsPerSecond: byCapture(goodput) };
}

/** Of several connections one may be silent while another one speaks: then only slices in which all are silent count. */
function measureGap(
  { binMicroseconds, outcome, endedAtMicroseconds }: ApplicationEvidence,
  streams: readonly WireStream[],
) {
  const [first, ...others] = streams;
  if (first === undefined) return {};
  const last = Math.max(...streams.map(({ lastAt }) => lastAt ?? 0));
  const within = others.length === 0 ? first.longestGapMicroseconds : longestSilence(streams, binMicroseconds);
  const atEnd = clientOf(outcome)?.exitCode === 0 ? 0 : endedAtMicroseconds - last;
  return { longestGapMicroseconds: byCapture(Math.max(within, atEnd)) };
}

function longestSilence(streams: readonly WireStream[], binMicroseconds: number): number {
  const busy = new Set(
    streams.flatMap(({ progress }) => progress.flatMap((bytes, slice) => (bytes > 0 ? [slice] : []))),
  );
  const slices = [...busy].toSorted((one, other) => one - other);
  const silences = slices.slice(1).map((slice, index) => slice - slices[index]! - 1);
  return Math.max(0, ...silences) * binMicroseconds;
}

function measureCompletion(
  { startMicroseconds }: PlannedApplication,
  client: ProgramResult | undefined,
  streams: readonly WireStream[],
): WorkloadMeasurements {
  if (client === undefined && streams.length === 0) return {};
  if (client?.exitCode !== 0) return { completionMicroseconds: { value: Infinity, witness: "application" } };
  return { completionMicroseconds: { value: client.endedAt - startMicroseconds, witness: "application" } };
}

function measureFiles(
  { run }: PlannedApplication,
  outcome: WorkloadOutcome | undefined,
  client: ProgramResult | undefined,
): WorkloadMeasurements {
  if (Object.keys(run.receives).length === 0) return {};
  const damage = findDamage(outcome, client);
  const intact = { value: damage === undefined, witness: "SHA-256 of the bytes" } as const;
  return damage === undefined ? { intact } : { intact, damage };
}

function findDamage(outcome: WorkloadOutcome | undefined, client: ProgramResult | undefined): string | undefined {
  const failure = outcome?.errors.find(({ role }) => role === "client") ?? outcome?.errors[0];
  const reason = failure === undefined ? "" : ` (${failure.code}: ${failure.message})`;
  if (client === undefined) return `the client did not come to its end${reason}`;
  for (const { name, source, bytes, sha256, sourceBytes, sourceSha256 } of client.files) {
    if (bytes === undefined) return `the client wrote no ${name}${reason}`;
    if (bytes !== sourceBytes) return `${name} has ${bytes} bytes, ${source} ${sourceBytes}${reason}`;
    if (sha256 !== sourceSha256) return `${name} is as long as ${source}, and not the same${reason}`;
  }
  return undefined;
}

/** What a viewer saw, by both witnesses; a witness who saw nothing is absent. */
export function viewings({ workload, outcome, streams, binMicroseconds, endedAtMicroseconds }: ApplicationEvidence): {
  readonly arrivals?: Viewing;
  readonly pictures?: Viewing;
} {
  const client = clientOf(outcome);
  if (workload.playback === undefined || client?.played === undefined) return {};
  const { segments, progress } = client.played;
  const video = { segments, bufferMicroseconds: workload.playback.bufferMicroseconds };
  const finishedAt = client.exitCode === 0 ? client.endedAt : undefined;
  const pictures = progress.length > 0 ? viewPictures(video, progress, finishedAt, endedAtMicroseconds) : undefined;
  return {
    ...(streams !== undefined && {
      arrivals: viewArrivals(video, streams, binMicroseconds, endedAtMicroseconds, pictures?.startedAt),
    }),
    ...(pictures !== undefined && { pictures }),
  };
}

function measurePlayback(evidence: ApplicationEvidence, client: ProgramResult | undefined): WorkloadMeasurements {
  const { arrivals, pictures } = viewings(evidence);
  const progress = client?.played?.progress ?? [];
  const lateness = latenessOf(progress);
  return {
    ...worse("stalls", arrivals?.stalls.length, pictures?.stalls.length),
    ...worse("longestStallMicroseconds", arrivals && longestStall(arrivals), pictures && longestStall(pictures)),
    ...(evidence.workload.playback !== undefined && {
      frames: { value: progress.at(-1)?.frames ?? 0, witness: "application" as const },
    }),
    ...(lateness !== undefined && { latenessMicroseconds: { value: lateness, witness: "application" as const } }),
  };
}

function latenessOf(progress: readonly PlayerProgress[]): number | undefined {
  const behind = progress.map(({ at, mediaMicroseconds }) => at - mediaMicroseconds);
  return behind.length === 0 ? undefined : Math.max(...behind) - behind[0]!;
}

function longestStall({ stalls }: Viewing): number {
  return Math.max(0, ...stalls.map(({ microseconds }) => microseconds));
}

/** The capture's figure, unless the player itself says worse. */
function worse(
  name: "stalls" | "longestStallMicroseconds",
  byWire: number | undefined,
  byPlayer: number | undefined,
): WorkloadMeasurements {
  if (byPlayer !== undefined && byPlayer > (byWire ?? -1))
    return { [name]: { value: byPlayer, witness: "application" } };
  return byWire === undefined ? {} : { [name]: byCapture(byWire) };
}

function byCapture(value: number): Measured<number> {
  return { value, witness: "capture" };
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}

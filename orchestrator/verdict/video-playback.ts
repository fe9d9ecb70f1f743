/**
 * A viewer before a player, twice: fed by the pictures that the player says it showed, and by what arrived at the player's interface. The first picture is seen when
 * the buffer is full, and the viewer stalls where it runs empty. Media time is counted in microseconds.
 */
import { PlaybackBuffer } from "../../stack/endpoint/workload/playback-buffer.ts";
import type { PlayerProgress, VideoSegment } from "../workload/application/program-result.ts";
import type { WireStream } from "./capture-analysis/wire-analysis.ts";

export interface Viewing {
  /** Of the first picture; absent where there was none. */
  readonly startedAt?: number;
  readonly stalls: readonly { readonly at: number; readonly microseconds: number }[];
  /** Media that waited: before each arrival, and every tenth of a second. */
  readonly levels: readonly { readonly at: number; readonly microseconds: number }[];
}

const lookEveryMicroseconds = 100_000;

interface Arrival {
  readonly at: number;
  /** Of all media so far. */
  readonly mediaMicroseconds: number;
}

export interface VideoBuffer {
  readonly segments: readonly VideoSegment[];
  readonly bufferMicroseconds: number;
}

/**
 * `streams`: of all connections of the player together, who asks for a segment after the other. What arrived beyond the segments is their protocol's and counts as if each
 * segment had an equal part of it before its own bytes. A slice's bytes count from its beginning, so that slicing never makes a stall. A player that keeps its own time asks for
 * little more than it shows: `notBefore` is when its viewer saw the first picture, and this one begins no earlier.
 */
export function viewArrivals(
  video: VideoBuffer,
  streams: readonly Pick<WireStream, "progress">[],
  binMicroseconds: number,
  endedAt: number,
  notBefore = 0,
): Viewing {
  const slices = Math.max(0, ...streams.map(({ progress }) => progress.length));
  const bytesIn = (slice: number): number => streams.reduce((sum, { progress }) => sum + (progress[slice] ?? 0), 0);
  const all = Array.from({ length: slices }, (_, slice) => bytesIn(slice));
  const media = mediaClock(
    video.segments,
    all.reduce((sum, bytes) => sum + bytes, 0),
  );
  let total = 0;
  const arrivals = all.flatMap((bytes, slice): Arrival[] => {
    total += bytes;
    return bytes === 0 ? [] : [{ at: Math.max(notBefore, slice * binMicroseconds), mediaMicroseconds: media(total) }];
  });
  return view(video, arrivals, endedAt);
}

/** `finished`: when the player ended of itself; undefined where it did not. */
export function viewPictures(
  video: VideoBuffer,
  progress: readonly PlayerProgress[],
  finishedAt: number | undefined,
  endedAt: number,
): Viewing {
  return view(video, progress, endedAt, finishedAt);
}

function view(
  { segments, bufferMicroseconds }: VideoBuffer,
  arrivals: readonly Arrival[],
  endedAt: number,
  finishedAt?: number,
): Viewing {
  const buffer = new PlaybackBuffer({
    // A microsecond of media is a byte.
    rateBitsPerSecond: 8e6,
    thresholdMicroseconds: bufferMicroseconds,
    totalBytes: segments.reduce((sum, { microseconds }) => sum + microseconds, 0),
  });
  const levels: { at: number; microseconds: number }[] = [];
  const look = (at: number): void => void levels.push({ at, microseconds: buffer.levelMicroseconds(at) });
  const lookUntil = (until: number): void => {
    for (let at = (levels.at(-1)?.at ?? until) + lookEveryMicroseconds; at < until; at += lookEveryMicroseconds)
      look(at);
  };
  let before = 0;
  for (const { at, mediaMicroseconds } of arrivals) {
    lookUntil(at);
    look(at);
    buffer.arrived(Math.max(0, mediaMicroseconds - before), at);
    before = Math.max(before, mediaMicroseconds);
  }
  lookUntil(endedAt);
  if (finishedAt !== undefined) buffer.end(finishedAt);
  buffer.handleTimeout(endedAt);
  // What never began stood still from the beginning.
  const since = buffer.startedAt === undefined ? 0 : buffer.stalledSince;
  const unended = since === undefined ? [] : [{ at: since, microseconds: endedAt - since }];
  const { startedAt } = buffer;
  return { ...(startedAt !== undefined && { startedAt }), stalls: [...buffer.stalls, ...unended], levels };
}

/** Media that the first `bytes` of an HLS transfer of `totalBytes` hold: a segment can be played as far as it is there. */
export function mediaClock(segments: readonly VideoSegment[], totalBytes: number): (bytes: number) => number {
  const content = segments.reduce((sum, { bytes }) => sum + bytes, 0);
  const overhead = Math.max(0, totalBytes - content) / Math.max(1, segments.length);
  return (bytes) => {
    let left = bytes;
    let media = 0;
    for (const segment of segments) {
      left -= overhead;
      if (left <= 0) break;
      media += segment.microseconds * Math.min(1, left / segment.bytes);
      left -= segment.bytes;
    }
    return Math.round(media);
  };
}

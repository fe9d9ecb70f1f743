/** What a link does to packets, as files say it: rate, delay, buffer, jitter, loss; for each direction on its own. Values are in base units. */
import type { LinkCalibrationName } from "./link-calibrations.ts";

export type LossShape =
  | { readonly kind: "bernoulli"; readonly probability: number }
  | {
      readonly kind: "gilbert-elliott";
      readonly pGoodToBad: number;
      readonly pBadToGood: number;
      readonly lossGood: number;
      readonly lossBad: number;
    }
  /** By number, from 1, in the order in which packets come to the link in this direction. */
  | { readonly kind: "listed"; readonly packets: readonly number[] };

/** The buffer before the bottleneck. A time is that of the link's rate: 80 ms at 8 Mbit/s are 80 kB. */
export type BufferShape =
  | { readonly bytes: number }
  | { readonly packets: number }
  | { readonly timeMicroseconds: number };

export interface JitterShape {
  readonly microseconds: number;
  readonly distribution: "uniform" | "normal";
  /** Whether a packet may overtake another. */
  readonly reorder: boolean;
}

/** What drops before the buffer is full. */
export type QueueManagementShape =
  | { readonly kind: "codel"; readonly targetMicroseconds: number; readonly intervalMicroseconds: number }
  | {
      readonly kind: "red";
      readonly leastBytes: number;
      readonly mostBytes: number;
      readonly probability: number;
      readonly weight: number;
    };

/** Moments at which a full frame may leave; they are there once the file is read, or the plan has drawn them. */
export type TraceShape = (
  | { readonly file: string }
  | {
      readonly generate: LinkCalibrationName;
      readonly durationMicroseconds: number;
      /** Left out: that of the run. */
      readonly seed?: number;
    }
) & { readonly opportunitiesMilliseconds?: readonly number[] };

export interface DirectionShape {
  readonly rateBitsPerSecond?: number;
  /** In the place of a rate, which is its mean once the file is read, or the mean that it is generated for. */
  readonly trace?: TraceShape;
  readonly delayMicroseconds?: number;
  readonly buffer?: BufferShape;
  readonly queueManagement?: QueueManagementShape;
  readonly jitter?: JitterShape;
  readonly loss?: LossShape;
}

/** `up` flows from the link's first end (the user's side) to its second. */
export interface LinkShape {
  readonly up: DirectionShape;
  readonly down: DirectionShape;
}

export interface LinkProfile {
  readonly description?: string;
  /** Where the values are from. */
  readonly source: string;
  readonly shape: LinkShape;
}

export const unshaped: LinkShape = { up: {}, down: {} };

/** What `over` names replaces what `base` says, each direction on its own. */
export function overlayShape(base: LinkShape, over: LinkShape): LinkShape {
  return { up: { ...base.up, ...over.up }, down: { ...base.down, ...over.down } };
}

export function isUnshaped(shape: LinkShape): boolean {
  return Object.keys(shape.up).length === 0 && Object.keys(shape.down).length === 0;
}

/** Bytes of a buffer at a rate, rounded to whole bytes; undefined for one counted in packets. */
export function bufferBytes(buffer: BufferShape, rateBitsPerSecond: number): number | undefined {
  if ("bytes" in buffer) return buffer.bytes;
  if ("timeMicroseconds" in buffer) return Math.round((buffer.timeMicroseconds * rateBitsPerSecond) / 8e6);
  return undefined;
}

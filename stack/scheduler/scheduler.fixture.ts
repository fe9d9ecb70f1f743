import type { Demand, Schedulable } from "./scheduler.ts";

export const segment = 1_000;

/** A subflow of 20 ms whose window has room for ten segments. */
export function subflow(id: number, changes: Partial<Schedulable> = {}): Schedulable {
  return {
    id,
    smoothedRttMicroseconds: 20_000,
    rttVariationMicroseconds: 0,
    backup: false,
    stale: false,
    usable: true,
    space: 10 * segment,
    pacedBytes: 0,
    congestionWindow: 10 * segment,
    bytesInFlight: 0,
    segmentSize: segment,
    ...changes,
  };
}

/** Its window is full. */
export function full(id: number, changes: Partial<Schedulable> = {}): Schedulable {
  return subflow(id, { space: 0, bytesInFlight: 10 * segment, ...changes });
}

export const much: Demand = { pendingBytes: 1_000 * segment, windowBytes: 1_000 * segment };

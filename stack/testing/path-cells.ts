/** The cells of the invariant over pairs of paths: rates, round trips, queues, loss, and what the hosts may buffer. */

import type { PathShape } from "./bulk-transfer.ts";

export interface PathCell {
  paths: readonly [PathShape, PathShape];
  bufferBytes: number;
  seconds: number;
}

/** Mbit/s. */
const rates: readonly [number, number][] = [
  [8, 2],
  [2, 2],
  [10, 1],
  [4, 8],
  [1, 4],
  [6, 6],
];
/** Milliseconds of the empty paths; the last is WiFi beside 3G. */
const rtts: readonly [number, number][] = [
  [20, 20],
  [100, 10],
  [50, 200],
  [20, 150],
];
/** Milliseconds that each path's queue holds. */
const queues: readonly [number, number][] = [
  [30, 60],
  [80, 200],
  [80, 2_000],
];
/** Percent, random. */
const losses: readonly [number, number][] = [
  [0.5, 0],
  [0, 2],
  [1, 1],
];
/** Of what the paths need together. */
const bufferShares: readonly number[] = [1, 0.25];

const minimumTimeout = 0.2;
/** About as much in every cell: a run over fast paths is the shorter one. */
const megabitsOfTransfer = 50;

function cell(
  rate: readonly number[],
  rtt: readonly number[],
  queue: readonly number[],
  loss: readonly number[],
  share: number,
): PathCell {
  const shape = (i: 0 | 1): PathShape => ({
    megabitsPerSecond: rate[i]!,
    rttMilliseconds: rtt[i]!,
    queueMilliseconds: queue[i]!,
    lossPercent: loss[i]!,
  });
  const paths = [shape(0), shape(1)] as const;
  return {
    paths,
    bufferBytes: Math.max(50_000, Math.round(share * neededBuffer(paths))),
    seconds: Math.min(20, Math.max(5, megabitsOfTransfer / (rate[0]! + rate[1]!))),
  };
}

/** Raiciu et al., NSDI'12 §3.1: all paths go on while the slowest of them retransmits once: 2 · sum of the rates · the largest RTT, which counts its queue, and its timeout. */
export function neededBuffer(paths: readonly PathShape[]): number {
  const rate = paths.reduce((sum, { megabitsPerSecond }) => sum + megabitsPerSecond, 0);
  const rtt =
    Math.max(...paths.map(({ rttMilliseconds, queueMilliseconds }) => rttMilliseconds + queueMilliseconds)) / 1_000;
  return (2 * rate * 1e6 * Math.max(rtt, minimumTimeout)) / 8;
}

const noLoss = [0, 0] as const;

export const pathCells: readonly PathCell[] = [
  ...rates.flatMap((rate) =>
    rtts.flatMap((rtt) =>
      queues.flatMap((queue) => bufferShares.map((share) => cell(rate, rtt, queue, noLoss, share))),
    ),
  ),
  ...rates.flatMap((rate) => rtts.flatMap((rtt) => losses.map((loss) => cell(rate, rtt, queues[1]!, loss, 1)))),
];

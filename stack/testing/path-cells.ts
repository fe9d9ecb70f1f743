/** The cells of the invariant: two paths by rates, round trips, queues and loss, and what the hosts may buffer. */

import { fullFrame, type PathShape, queueBytesOf } from "./bulk-transfer.ts";

export interface PathCell {
  paths: readonly [PathShape, PathShape];
  bufferBytes: number;
  seconds: number;
  /** The hosts' buffers are what the paths need together. */
  hasRoom: boolean;
  /** Each queue takes the ten segments with which a connection begins. */
  takesFirstFlight: boolean;
  /** Frames are lost at random. */
  loses: boolean;
}

type Two = readonly [number, number];

/** Mbit/s. */
const rates: readonly Two[] = [
  [8, 2],
  [2, 2],
  [10, 1],
  [4, 8],
  [1, 4],
  [6, 6],
];
/** Milliseconds of the empty paths; the last is WiFi beside 3G. */
const rtts: readonly Two[] = [
  [20, 20],
  [100, 10],
  [50, 200],
  [20, 150],
];
/** Milliseconds that the queues hold: short ones, moderate ones, and the two seconds of 3G. */
const queues: readonly Two[] = [
  [30, 60],
  [80, 200],
  [80, 2_000],
];
const moderateQueues: Two = [80, 200];
/** Percent, random. */
const losses: readonly Two[] = [
  [0.5, 0],
  [0, 2],
  [1, 1],
];
/** Of what the paths need together. */
const bufferShares: readonly number[] = [1, 0.25];

/** RFC 6928 §2. */
const firstFlightFrames = 10;
/** Of RFC 6298 as everybody has it. */
const minimumTimeoutSeconds = 0.2;

/**
 * Raiciu et al., NSDI'12 §3.1: what lets all paths go on while the slowest of them retransmits, once by its timeout: 2 · sum of the rates · the largest RTT or
 * timeout. The RTT counts the queue, of which window capping (§4.2) allows as much again as the empty path has, or 100 ms.
 */
export function neededBuffer(paths: readonly PathShape[]): number {
  const rate = paths.reduce((sum, { megabitsPerSecond }) => sum + megabitsPerSecond, 0);
  const longest = Math.max(
    ...paths.map(
      ({ rttMilliseconds, queueMilliseconds }) =>
        rttMilliseconds + Math.min(queueMilliseconds, Math.max(rttMilliseconds, 100)),
    ),
  );
  return (2 * rate * 1e6 * Math.max(longest / 1_000, minimumTimeoutSeconds)) / 8;
}

function cell(rate: Two, rtt: Two, queue: Two, loss: Two, bufferShare: number): PathCell {
  const shape = (i: 0 | 1): PathShape => ({
    megabitsPerSecond: rate[i],
    rttMilliseconds: rtt[i],
    queueMilliseconds: queue[i],
    lossPercent: loss[i],
  });
  const paths = [shape(0), shape(1)] as const;
  return {
    paths,
    bufferBytes: Math.round(bufferShare * neededBuffer(paths)),
    // About as many packets in every cell, and so long that the beginning does not decide.
    seconds: Math.min(15, Math.max(6, 40 / (rate[0] + rate[1]))),
    hasRoom: bufferShare >= 1,
    takesFirstFlight: paths.every((path) => queueBytesOf(path) >= firstFlightFrames * fullFrame),
    loses: loss[0] + loss[1] > 0,
  };
}

export const pathCells: readonly PathCell[] = rates.flatMap((rate) =>
  rtts.flatMap((rtt) => [
    ...queues.flatMap((queue) => bufferShares.map((share) => cell(rate, rtt, queue, [0, 0], share))),
    ...losses.map((loss) => cell(rate, rtt, moderateQueues, loss, 1)),
  ]),
);

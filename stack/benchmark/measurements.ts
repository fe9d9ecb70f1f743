/** Everything that the benchmark measures: a title that `--only` matches, and a table. */

import { type Comparison, comparisonTable, inTurns, type Measures } from "./comparison.ts";
import {
  type Condition,
  conditions,
  coupled,
  describeCondition,
  kernelMptcp,
  kernelTcp,
  kernelToOurs,
  oursToKernel,
  oursToOurs,
  ownSegments,
  packetSockets,
  type Pairing,
  shaped,
  straight,
} from "./conditions.ts";
import { churnMeasures, measureChurn, measureRoundTrips, roundTripMeasures } from "./connections.ts";
import type { Lab } from "./lab.ts";
import { idleMemoryMeasures, measureIdleMemory } from "./memory.ts";
import { judgeShaped, judgeThroughput, type Mark } from "./marks.ts";
import { fillMeasures, measureFill } from "./shaped-throughput.ts";
import { measureThroughput, throughputMeasures } from "./throughput.ts";

/** How long and how often. */
export type Pace = {
  rounds: number;
  warmUpSeconds: number;
  seconds: number;
  echoes: number;
  openings: number;
  churned: number;
};

export const fullPace: Pace = {
  rounds: 7,
  // Node compiles during the first second and a half.
  warmUpSeconds: 2,
  seconds: 3,
  echoes: 10_000,
  openings: 1_000,
  churned: 5_000,
};

export const quickPace: Pace = {
  rounds: 3,
  warmUpSeconds: 2,
  seconds: 1,
  echoes: 2_000,
  openings: 300,
  churned: 1_000,
};

export type Findings = {
  title: string;
  table: string;
  comparisons: Comparison<Readonly<Record<string, number>>>[];
  marks: Mark[];
};

export type Measurement = {
  title: string;
  run: (pace: Pace, only: RegExp, log: (text: string) => void) => Promise<Findings>;
};

/** Connections that are under way at once. */
const churnedAtOnce = 32;

const onePath: readonly Condition[] = [{ paths: 1, offload: true }];
const multipath: readonly Pairing[] = [oursToOurs, oursToKernel, kernelToOurs, kernelMptcp];

export const measurements: readonly Measurement[] = [
  measurement({
    title: "throughput",
    conditions,
    measures: throughputMeasures,
    pairings: ({ paths, offload }) => [
      ...multipath,
      ...(paths === 1 ? [kernelTcp, straight] : []),
      ...(offload ? [] : [ownSegments]),
      ...(paths === 1 && offload ? [packetSockets] : []),
    ],
    measure: (lab, { mptcp, application = "net", ownSegments = false }, { warmUpSeconds, seconds }) =>
      measureThroughput({ lab, mptcp, application, ownSegments, warmUpSeconds, seconds }),
    judge: judgeThroughput,
  }),
  measurement({
    title: "shaped by HTB",
    conditions: [shaped],
    measures: fillMeasures,
    pairings: () => [oursToOurs, coupled, kernelMptcp],
    measure: (lab, { mptcp }, { warmUpSeconds, seconds }) => measureFill({ lab, mptcp, warmUpSeconds, seconds }),
    judge: judgeShaped,
  }),
  measurement({
    title: "round trips",
    conditions: onePath,
    measures: roundTripMeasures,
    pairings: () => [...multipath, kernelTcp],
    measure: (lab, { mptcp }, { echoes, openings }) => measureRoundTrips({ lab, mptcp }, echoes, openings),
  }),
  measurement({
    title: "connections",
    conditions: onePath,
    measures: churnMeasures,
    pairings: () => [...multipath, kernelTcp],
    measure: (lab, { mptcp }, { churned }) => measureChurn({ lab, mptcp }, churned, churnedAtOnce),
  }),
  ...[1_000, 10_000].map((count) =>
    measurement({
      title: `memory of ${count.toLocaleString("en")} idle connections`,
      conditions: onePath,
      measures: idleMemoryMeasures,
      // Once each: it moves little, and ten thousand connections take their time.
      rounds: 1,
      pairings: () => [oursToOurs, kernelMptcp, kernelTcp],
      measure: (lab, { mptcp }) => measureIdleMemory({ lab, mptcp }, count),
    }),
  ),
];

function measurement<Sample extends Readonly<Record<string, number>>>(described: {
  title: string;
  conditions: readonly Condition[];
  measures: Measures<Sample>;
  /** Default: as many as the pace has. */
  rounds?: number;
  pairings: (condition: Condition) => readonly Pairing[];
  measure: (lab: Lab, pairing: Pairing, pace: Pace) => Promise<Sample>;
  judge?: (comparisons: readonly Comparison<Sample>[]) => Mark[];
}): Measurement {
  const { title, measures, pairings, measure, judge = () => [] } = described;
  return {
    title,
    run: async (pace, only, log) => {
      const comparisons: Comparison<Sample>[] = [];
      for (const condition of described.conditions) {
        if (!only.test(`${title}, ${describeCondition(condition)}`)) continue;
        const comparison = await inTurns({
          what: title,
          condition,
          pairings: pairings(condition),
          rounds: described.rounds ?? pace.rounds,
          measure: (lab, pairing) => measure(lab, pairing, pace),
          log,
        });
        comparisons.push(comparison);
      }
      return { title, comparisons, table: comparisonTable(title, measures, comparisons), marks: judge(comparisons) };
    },
  };
}

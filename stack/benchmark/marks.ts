/** What the stack has to reach. */

import type { Comparison } from "./comparison.ts";
import { type Condition, coupled, describeCondition, kernelMptcp, oursToOurs } from "./conditions.ts";
import type { FillShare } from "./shaped-throughput.ts";
import { median, ratio } from "./statistics.ts";
import type { Throughput } from "./throughput.ts";

export type Mark = {
  what: string;
  reached: number;
  mark: number;
  /** Below it the exit code is 1; undefined: there is none. */
  floor?: number;
  verdict: "met" | "not met" | "below the floor";
};

function goal({ offload }: Condition): { mark: number; floor: number } {
  return offload ? { mark: 1, floor: 0.8 } : { mark: 0.5, floor: 0.4 };
}

/** Ours ↔ ours over the kernel's MPTCP with itself, Reno on both, in the same rounds. */
export function judgeThroughput(comparisons: readonly Comparison<Throughput>[]): Mark[] {
  return comparisons.map(({ condition, samples }) => {
    const gigabits = (name: string): number[] => samples[name]!.map(({ gigabitsPerSecond }) => gigabitsPerSecond);
    const reached = ratio(gigabits(oursToOurs.name), gigabits(kernelMptcp.name));
    const what = `${describeCondition(condition)}: ours ↔ ours, of kernel MPTCP ↔ kernel MPTCP`;
    return judged({ what, reached, ...goal(condition) });
  });
}

/** Two subflows fill both links within 5 %. */
export function judgeShaped(comparisons: readonly Comparison<FillShare>[]): Mark[] {
  return comparisons.flatMap(({ condition, samples }) =>
    [oursToOurs, coupled].map(({ name }) => {
      const reached = median(samples[name]!.map(({ share }) => share));
      return judged({ what: `${describeCondition(condition)}: ${name}, of what the links carry`, reached, mark: 0.95 });
    }),
  );
}

function judged(reached: Omit<Mark, "verdict">): Mark {
  return { ...reached, verdict: verdict(reached) };
}

function verdict({ reached, mark, floor = 0 }: Omit<Mark, "verdict">): Mark["verdict"] {
  if (reached >= mark) return "met";
  return reached >= floor ? "not met" : "below the floor";
}

export function reportMarks(marks: readonly Mark[]): string {
  return marks
    .map(({ what, reached, mark, floor, verdict }) => {
      const goals = floor === undefined ? `mark ${mark}` : `mark ${mark}, floor ${floor}`;
      return `- ${what}: ${reached.toFixed(2)}; ${goals}: ${verdict}`;
    })
    .join("\n");
}

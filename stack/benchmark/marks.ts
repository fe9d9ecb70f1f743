/** What the stack has to reach: ours ↔ ours over the kernel's MPTCP with itself, Reno on both, in the same rounds. */

import { type Condition, describeCondition, kernelMptcp, oursToOurs } from "./conditions.ts";
import { ratio } from "./statistics.ts";
import type { Comparison } from "./comparison.ts";

export type Mark = {
  condition: string;
  reached: number;
  mark: number;
  floor: number;
  verdict: "met" | "not met" | "below the floor";
};

function goal({ offload }: Condition): Pick<Mark, "mark" | "floor"> {
  return offload ? { mark: 1, floor: 0.8 } : { mark: 0.5, floor: 0.4 };
}

/** Of comparisons of throughput. */
export function judge(comparisons: readonly Comparison<Readonly<Record<string, number>>>[]): Mark[] {
  return comparisons.map(({ condition, samples }) => {
    const gigabits = (name: string): number[] => samples[name]!.map((sample) => sample["gigabitsPerSecond"]!);
    const reached = ratio(gigabits(oursToOurs.name), gigabits(kernelMptcp.name));
    return {
      condition: describeCondition(condition),
      reached,
      ...goal(condition),
      verdict: verdict(reached, goal(condition)),
    };
  });
}

function verdict(reached: number, { mark, floor }: Pick<Mark, "mark" | "floor">): Mark["verdict"] {
  if (reached >= mark) return "met";
  return reached >= floor ? "not met" : "below the floor";
}

export function reportMarks(marks: readonly Mark[]): string {
  return marks
    .map(
      ({ condition, reached, mark, floor, verdict }) =>
        `- ${condition}: ours ↔ ours reaches ${reached.toFixed(2)} of kernel MPTCP; mark ${mark}, floor ${floor}: ${verdict}`,
    )
    .join("\n");
}

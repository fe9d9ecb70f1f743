/** What is expected of the flows of one traffic, against what was measured. */
import type { Expectation } from "../model/experiment.ts";
import { bounds, judgeBounds, judgeIntact, percentileOf, type Judged } from "./judge-expectation.ts";
import type { TrafficMeasurements } from "./measure-traffic.ts";
import { printRate, printShare, printTime } from "./quantity.ts";

export function judgeTraffic(expectation: Expectation, measured: TrafficMeasurements): Judged[] {
  const judged: Judged[] = [];
  for (const metric of ["meanGoodput", "leastGoodput"] as const) {
    const limits = expectation[metric];
    if (limits === undefined) continue;
    const { atLeastBitsPerSecond, atMostBitsPerSecond } = limits;
    judged.push(
      judgeBounds(
        metric,
        bounds(atLeastBitsPerSecond, atMostBitsPerSecond),
        measured[`${metric}BitsPerSecond`],
        printRate,
      ),
    );
  }
  const { fairness, flowCompletion, intact } = expectation;
  if (fairness !== undefined)
    judged.push(judgeBounds("fairness", bounds(fairness.atLeast, fairness.atMost), measured.fairness, printShare));
  for (const name of ["p50", "p99"] as const) {
    const limit = flowCompletion?.[name]?.atMostMicroseconds;
    if (limit === undefined) continue;
    const value = percentileOf(measured.completionMicroseconds, name);
    judged.push(judgeBounds(`flowCompletion.${name}`, bounds(undefined, limit), value, printTime));
  }
  if (intact !== undefined) judged.push(judgeIntact(measured));
  return judged;
}

/** What is expected of the flows of one traffic, against what was measured. */
import type { Expectation } from "../model/experiment.ts";
import { judgeBounds, judgeIntact, percentileOf, rateBounds, timeBounds, type Judged } from "./judge-expectation.ts";
import type { TrafficMeasurements } from "./measure-traffic.ts";
import { printRate, printShare, printTime } from "./quantity.ts";

export function judgeTraffic(expectation: Expectation, measured: TrafficMeasurements): Judged[] {
  const judged: Judged[] = [];
  for (const metric of ["meanGoodput", "leastGoodput"] as const) {
    const limits = expectation[metric];
    if (limits === undefined) continue;
    judged.push(judgeBounds(metric, rateBounds(limits), measured[`${metric}BitsPerSecond`], printRate));
  }
  const { fairness, flowCompletion, intact } = expectation;
  if (fairness !== undefined) judged.push(judgeBounds("fairness", fairness, measured.fairness, printShare));
  for (const name of ["p50", "p99"] as const) {
    const limits = flowCompletion?.[name];
    if (limits === undefined) continue;
    const value = percentileOf(measured.completionMicroseconds, name);
    judged.push(judgeBounds(`flowCompletion.${name}`, timeBounds(limits), value, printTime));
  }
  if (intact !== undefined) judged.push(judgeIntact(measured));
  return judged;
}

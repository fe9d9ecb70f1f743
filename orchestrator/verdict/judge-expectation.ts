/** One expectation block of an experiment file against what was measured: a judged line per metric, in the file's order of metrics. */
import type { Expectation } from "../model/experiment.ts";
import type { OverRepetitions } from "../model/repetition-statistic.ts";
import type { Measured, WorkloadMeasurements } from "./measure-workload.ts";
import { printCount, printPercent, printRate, printSize, printTime } from "./quantity.ts";
import type { JudgedExpectation, RepetitionSample } from "./verdict.ts";

export interface Judged extends Omit<JudgedExpectation, "baseline" | "workload"> {
  /** There where a run is not judged by it: its limits are those of all repetitions. */
  readonly overRepetitions?: Pick<RepetitionSample, "statistic" | "atLeast" | "atMost">;
}

const unmeasured = "–";

/** @param failure why the workload came to nothing, where it says so: what nobody could see then was not there */
export function judgeExpectation(expectation: Expectation, measured: WorkloadMeasurements, failure?: string): Judged[] {
  const judged = judgeMeasured(expectation, measured);
  if (failure === undefined) return judged;
  return judged.map((line) =>
    line.witness === "none" ? { ...line, measured: `nothing: ${failure}`, witness: "application" } : line,
  );
}

function judgeMeasured(expectation: Expectation, measured: WorkloadMeasurements): Judged[] {
  const { goodput, subflows, share = {}, longestGap, stalls, intact } = expectation;
  const { exitCode, bytes, frames, fallback, completion, latency } = expectation;
  const judged: Judged[] = [];
  const hold = (
    metric: string,
    limits: Bounds | undefined,
    value: Measured<number> | undefined,
    print: (value: number) => string,
    never?: string,
  ): void => void (limits && judged.push(judgeBounds(metric, limits, value, print, never)));
  hold("goodput", goodput && rateBounds(goodput), measured.goodputBitsPerSecond, printRate);
  hold("subflows", subflows, measured.subflows, String);
  for (const [path, limits] of Object.entries(share)) {
    const { pathShares } = measured;
    const own = pathShares && { value: pathShares.value[path] ?? 0, witness: pathShares.witness };
    hold(`share of ${path}`, limits, own, printPercent);
  }
  hold("longestGap", longestGap && timeBounds(longestGap), measured.longestGapMicroseconds, printTime);
  hold("stalls", stalls, measured.stalls, (count) => printCount(count, "stall"), "it never began to play");
  if (intact !== undefined) judged.push(judgeIntact(measured));
  hold("exitCode", exitCode === undefined ? undefined : { exactly: exitCode }, measured.exitCode, String);
  hold("bytes", bytes, measured.bytes, printSize);
  hold("frames", frames, measured.frames, (count) => printCount(count, "frame"));
  if (fallback !== undefined) judged.push(judgeFallback(fallback, measured.fellBack));
  hold("completion", completion && timeBounds(completion), measured.completionMicroseconds, printTime);
  for (const name of ["p50", "p99"] as const) {
    const limits = latency?.[name];
    const value = percentileOf(measured.latenciesMicroseconds, name);
    hold(`latency.${name}`, limits && timeBounds(limits), value, printTime);
  }
  const deviation = latency?.deviation;
  hold("latency.deviation", deviation && timeBounds(deviation), deviationOf(measured.latenciesMicroseconds), printTime);
  return judged;
}

/** Limits of a figure, in its own unit. */
export interface Bounds extends OverRepetitions {
  readonly exactly?: number;
  readonly atLeast?: number;
  readonly atMost?: number;
}

export function rateBounds({
  atLeastBitsPerSecond: atLeast,
  atMostBitsPerSecond: atMost,
  ...rest
}: NonNullable<Expectation["goodput"]>): Bounds {
  return { ...(atLeast === undefined ? {} : { atLeast }), ...(atMost === undefined ? {} : { atMost }), ...rest };
}

export function timeBounds({
  atLeastMicroseconds: atLeast,
  atMostMicroseconds: atMost,
  ...rest
}: NonNullable<Expectation["longestGap"]>): Bounds {
  return { ...(atLeast === undefined ? {} : { atLeast }), ...(atMost === undefined ? {} : { atMost }), ...rest };
}

export function judgeBounds(
  metric: string,
  limits: Bounds,
  measured: Measured<number> | undefined,
  print: (value: number) => string,
  never = "never",
): Judged {
  const { exactly, atLeast, atMost, overRepetitions: statistic } = limits;
  const expected = [
    ...(exactly === undefined ? [] : [`exactly ${print(exactly)}`]),
    ...(atLeast === undefined ? [] : [`at least ${print(atLeast)}`]),
    ...(atMost === undefined ? [] : [`at most ${print(atMost)}`]),
  ].join(", ");
  const repeated =
    statistic === undefined
      ? {}
      : {
          overRepetitions: {
            statistic,
            ...(atLeast === undefined ? {} : { atLeast }),
            ...(atMost === undefined ? {} : { atMost }),
          },
        };
  if (measured === undefined)
    return { metric, expected, measured: unmeasured, passed: false, witness: "none", ...repeated };
  const { value, witness } = measured;
  return {
    metric,
    expected,
    measured: Number.isFinite(value) ? print(value) : never,
    ...(Number.isFinite(value) ? { measuredValue: value } : {}),
    passed: isWithin(limits, value),
    witness,
    ...repeated,
  };
}

export function isWithin({ exactly, atLeast = -Infinity, atMost = Infinity }: Bounds, value: number): boolean {
  return (exactly === undefined || value === exactly) && value >= atLeast && value <= atMost;
}

export function judgeIntact({ intact, damage }: Pick<WorkloadMeasurements, "intact" | "damage">): Judged {
  return {
    metric: "intact",
    expected: "every byte once, in order, unchanged",
    measured: intact?.value === true ? "intact" : (damage ?? unmeasured),
    ...(intact === undefined ? {} : { measuredValue: intact.value }),
    passed: intact?.value === true,
    witness: intact?.witness ?? "none",
  };
}

function judgeFallback(expected: boolean, fellBack: WorkloadMeasurements["fellBack"]): Judged {
  if (fellBack === undefined)
    return {
      metric: "fallback",
      expected: printFallback(expected),
      measured: unmeasured,
      passed: false,
      witness: "none",
    };
  const { value, witness } = fellBack;
  return {
    metric: "fallback",
    expected: printFallback(expected),
    measured: value === undefined ? "no connection" : printFallback(value),
    ...(value === undefined ? {} : { measuredValue: value }),
    passed: value === expected,
    witness,
  };
}

function printFallback(fellBack: boolean): string {
  return fellBack ? "fell back to TCP" : "no fallback";
}

/** Nearest rank: a value that was really measured. */
export function percentile(values: readonly number[], share: number): number | undefined {
  return values.toSorted((one, other) => one - other)[Math.max(0, Math.ceil(values.length * share) - 1)];
}

export function percentileOf(
  latencies: Measured<readonly number[]> | undefined,
  name: "p50" | "p99",
): Measured<number> | undefined {
  const value = percentile(latencies?.value ?? [], name === "p50" ? 0.5 : 0.99);
  return latencies === undefined || value === undefined ? undefined : { value, witness: latencies.witness };
}

/** The standard deviation of all that were measured. */
function deviationOf(latencies: Measured<readonly number[]> | undefined): Measured<number> | undefined {
  if (latencies === undefined || latencies.value.length === 0) return undefined;
  const { value, witness } = latencies;
  const mean = value.reduce((sum, latency) => sum + latency, 0) / value.length;
  const variance = value.reduce((sum, latency) => sum + (latency - mean) ** 2, 0) / value.length;
  return { value: Math.sqrt(variance), witness };
}

/** One expectation block of an experiment file against what was measured: a judged line per metric, in the file's order of metrics. */
import type { Expectation } from "../model/experiment.ts";
import type { Measured, WorkloadMeasurements } from "./measure-workload.ts";
import { printCount, printRate, printSize, printTime } from "./quantity.ts";
import type { JudgedExpectation } from "./verdict.ts";

export type Judged = Omit<JudgedExpectation, "baseline" | "workload">;

const unmeasured = "–";

export function judgeExpectation(expectation: Expectation, measured: WorkloadMeasurements): Judged[] {
  const { goodput, subflows, longestGap, stalls, intact, exitCode, bytes, frames, fallback, completion, latency } =
    expectation;
  return [
    ...(goodput === undefined
      ? []
      : [
          judgeBounds(
            "goodput",
            bounds(goodput.atLeastBitsPerSecond, goodput.atMostBitsPerSecond),
            measured.goodputBitsPerSecond,
            printRate,
          ),
        ]),
    ...(subflows === undefined
      ? []
      : [
          judgeBounds(
            "subflows",
            {
              ...bounds(subflows.atLeast, subflows.atMost),
              ...(subflows.exactly === undefined ? {} : { exactly: subflows.exactly }),
            },
            measured.subflows,
            String,
          ),
        ]),
    ...(longestGap === undefined
      ? []
      : [
          judgeBounds(
            "longestGap",
            bounds(longestGap.atLeastMicroseconds, longestGap.atMostMicroseconds),
            measured.longestGapMicroseconds,
            printTime,
          ),
        ]),
    ...(stalls === undefined
      ? []
      : [
          judgeBounds("stalls", bounds(undefined, stalls.atMost), measured.stalls, (count) =>
            printCount(count, "stall"),
          ),
        ]),
    ...(intact === undefined ? [] : [judgeIntact(measured)]),
    ...(exitCode === undefined ? [] : [judgeBounds("exitCode", { exactly: exitCode }, measured.exitCode, String)]),
    ...(bytes === undefined
      ? []
      : [judgeBounds("bytes", bounds(bytes.atLeast, bytes.atMost), measured.bytes, printSize)]),
    ...(frames === undefined
      ? []
      : [
          judgeBounds("frames", bounds(frames.atLeast, undefined), measured.frames, (count) =>
            printCount(count, "frame"),
          ),
        ]),
    ...(fallback === undefined ? [] : [judgeFallback(fallback, measured.fellBack)]),
    ...(completion === undefined
      ? []
      : [
          judgeBounds(
            "completion",
            bounds(undefined, completion.atMostMicroseconds),
            measured.completionMicroseconds,
            printTime,
          ),
        ]),
    ...(["p50", "p99"] as const).flatMap((name) => {
      const limit = latency?.[name]?.atMostMicroseconds;
      if (limit === undefined) return [];
      return [
        judgeBounds(
          `latency.${name}`,
          bounds(undefined, limit),
          percentileOf(measured.latenciesMicroseconds, name),
          printTime,
        ),
      ];
    }),
    ...(latency?.deviation === undefined
      ? []
      : [
          judgeBounds(
            "latency.deviation",
            bounds(latency.deviation.atLeastMicroseconds, latency.deviation.atMostMicroseconds),
            deviationOf(measured.latenciesMicroseconds),
            printTime,
          ),
        ]),
  ];
}

interface Bounds {
  readonly exactly?: number;
  readonly atLeast?: number;
  readonly atMost?: number;
}

export function bounds(atLeast: number | undefined, atMost: number | undefined): Bounds {
  return { ...(atLeast === undefined ? {} : { atLeast }), ...(atMost === undefined ? {} : { atMost }) };
}

export function judgeBounds(
  metric: string,
  limits: Bounds,
  measured: Measured<number> | undefined,
  print: (value: number) => string,
): Judged {
  const { exactly, atLeast, atMost } = limits;
  const expected = [
    ...(exactly === undefined ? [] : [`exactly ${print(exactly)}`]),
    ...(atLeast === undefined ? [] : [`at least ${print(atLeast)}`]),
    ...(atMost === undefined ? [] : [`at most ${print(atMost)}`]),
  ].join(", ");
  if (measured === undefined) return { metric, expected, measured: unmeasured, passed: false, witness: "none" };
  const { value, witness } = measured;
  const passed =
    (exactly === undefined || value === exactly) && value >= (atLeast ?? -Infinity) && value <= (atMost ?? Infinity);
  return {
    metric,
    expected,
    measured: Number.isFinite(value) ? print(value) : "never",
    ...(Number.isFinite(value) ? { measuredValue: value } : {}),
    passed,
    witness,
  };
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

function judgeFallback(expected: boolean, fellBack: Measured<boolean> | undefined): Judged {
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
    measured: printFallback(value),
    measuredValue: value,
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

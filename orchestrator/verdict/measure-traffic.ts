/** What there is to know of the flows of one traffic together. */
import type { Measured, WorkloadMeasurements } from "./measure-workload.ts";
import { printCount } from "./quantity.ts";

export interface TrafficMeasurements {
  readonly meanGoodputBitsPerSecond?: Measured<number>;
  readonly leastGoodputBitsPerSecond?: Measured<number>;
  /** Jain's index: 1 where all flows get the same, 1/n where one of n gets everything. */
  readonly fairness?: Measured<number>;
  readonly completionMicroseconds?: Measured<readonly number[]>;
  readonly intact?: Measured<boolean>;
  /** Why `intact` is false. */
  readonly damage?: string;
}

/** A flow of which nobody knows a goodput has none: it got nothing. One that never ended has no end. */
export function measureTraffic(
  flows: readonly { readonly name: string; readonly measured: WorkloadMeasurements }[],
): TrafficMeasurements {
  if (flows.length === 0) return {};
  const goodputs = flows.map(({ measured }) => measured.goodputBitsPerSecond?.value ?? 0);
  const witness = flows.every(({ measured }) => measured.goodputBitsPerSecond?.witness === "capture")
    ? "capture"
    : "application";
  const damaged = flows.filter(({ measured }) => measured.intact?.value !== true);
  const [first] = damaged;
  return {
    meanGoodputBitsPerSecond: { value: sum(goodputs) / flows.length, witness },
    leastGoodputBitsPerSecond: { value: Math.min(...goodputs), witness },
    fairness: { value: fairness(goodputs), witness },
    completionMicroseconds: {
      value: flows.map(({ measured }) => measured.completionMicroseconds?.value ?? Infinity),
      witness,
    },
    intact: { value: first === undefined, witness: "SHA-256 of the bytes" },
    ...(first !== undefined && {
      damage: `${printCount(damaged.length, "flow")} of ${flows.length} damaged, ${first.name}: ${first.measured.damage ?? "nobody knows"}`,
    }),
  };
}

/** Jain, Chiu, Hawe, 1984; 1 where nobody gets anything. */
export function fairness(shares: readonly number[]): number {
  const squares = sum(shares.map((share) => share * share));
  return squares === 0 ? 1 : sum(shares) ** 2 / (shares.length * squares);
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}

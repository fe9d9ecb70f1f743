import { expect } from "chai";
import * as fc from "fast-check";
import type { RepetitionStatistic } from "../model/repetition-statistic.ts";
import { judge } from "./judge.ts";
import { judgeRepetitions } from "./judge-repetitions.ts";
import { confidenceOf, statisticOf } from "./order-statistics.ts";
import { bulkWorkload, twoPathPlan } from "./fixture/two-path-plan.ts";
import { printJUnit } from "./junit.ts";
import { verdictSchema } from "./verdict-schema.ts";
import type { Verdict } from "./verdict.ts";

/** A run whose receiver got a million bytes in so many seconds; its goodput is judged by the mean of all runs. */
function run(seconds: number, statistic: RepetitionStatistic = "mean"): Verdict {
  const connectedAt = 0;
  return judge({
    plan: {
      ...twoPathPlan({
        workloads: [bulkWorkload],
        expectations: [
          {
            workload: bulkWorkload.name,
            expectation: {
              goodput: { atLeastBitsPerSecond: 7.5e6, overRepetitions: statistic },
              completion: { atMostMicroseconds: 1_500_000 },
            },
          },
        ],
      }),
      capture: { enabled: false, snapLength: 128 },
    },
    ended: "completed",
    endedAtMicroseconds: 5e6,
    results: {
      workloads: [
        {
          workload: bulkWorkload.name,
          client: {
            kind: "receiver",
            bytes: 1_000_000,
            sha256: "",
            connectedAt,
            firstByteAt: connectedAt,
            lastByteAt: seconds * 1e6,
            longestGapMicroseconds: 0,
            longestGapAt: 0,
          },
          errors: [],
        },
      ],
    },
    links: { measurements: [] },
    counters: {},
  });
}

const repeated = (...verdicts: Verdict[]): Verdict =>
  judgeRepetitions(verdicts.map((verdict, index) => ({ seed: index + 1, verdict })));

describe("an expectation over repetitions", () => {
  it("has no part in the outcome of a run, which says what it measured and that nobody judged it", () => {
    const alone = run(1.25);
    expect(alone.outcome).to.equal("passed");
    expect(alone.expectations.map(({ metric }) => metric)).to.deep.equal(["completion"]);
    expect(alone.overRepetitions).to.deep.equal([
      {
        workload: "download",
        metric: "goodput",
        statistic: "mean",
        expected: "at least 7.5 Mbit/s",
        atLeast: 7.5e6,
        measured: "6.4 Mbit/s",
        measuredValue: 6.4e6,
        witness: "application",
      },
    ]);
    expect(verdictSchema.parse(alone)).to.deep.equal(alone);
  });

  it("passes by the mean of all runs though one of them alone would not, with the interval of that mean", () => {
    const verdict = repeated(run(1), run(1.25), run(0.8));
    expect(verdict.outcome).to.equal("passed");
    const [goodput] = verdict.expectations;
    expect(goodput).to.deep.include({
      metric: "goodput",
      expected: "mean of 3 runs at least 7.5 Mbit/s",
      measured: "8.13 Mbit/s (95 %: 3.65 Mbit/s to 12.6 Mbit/s)",
      passed: true,
    });
    expect(goodput!.repetitions!.samples).to.deep.equal([8e6, 6.4e6, 10e6]);
    expect(verdictSchema.parse(verdict)).to.deep.equal(verdict);
  });

  it("fails by the mean though some of the runs alone would pass", () => {
    const verdict = repeated(run(1), run(1.25), run(1.4));
    expect(verdict.outcome).to.equal("failed");
    expect(verdict.expectations[0]).to.deep.include({ metric: "goodput", passed: false });
  });

  for (const [statistic, value, passed] of [
    ["min", 6.4e6, false],
    ["median", 8e6, true],
    ["max", 10e6, true],
    ["p95", 10e6, true],
  ] as const)
    it(`is judged by the ${statistic} where that is asked for`, () => {
      const [goodput] = repeated(run(1, statistic), run(1.25, statistic), run(0.8, statistic)).expectations;
      expect(goodput).to.deep.include({ measuredValue: value, passed });
    });

  it("is not judged without the runs that measured nothing: it fails, and says which", () => {
    const { measuredValue: _, ...sample } = run(1).overRepetitions![0]!;
    const verdict = repeated(run(1), { ...run(1), overRepetitions: [{ ...sample, measured: "never" }] });
    expect(verdict.expectations[0]).to.deep.include({ passed: false, metric: "goodput" });
    expect(verdict.expectations[0]!.measured).to.equal("seed 2: never");
  });

  it("stands beside what each run is judged by: of how many runs that holds, and the first that fails", () => {
    const verdict = repeated(run(1), run(1.25), run(1.6));
    expect(verdict.expectations[1]).to.deep.equal({
      workload: "download",
      metric: "completion",
      expected: "at most 1.5 s, in each run",
      measured: "in 2 of 3 runs (seed 3: 1.6 s)",
      passed: false,
      witness: "application",
    });
    expect(verdict.outcome).to.equal("failed");
  });

  it("cannot be judged where a run is invalid", () => {
    const invalid: Verdict = { ...run(1), outcome: "invalid", invalidBecause: ["the bench was off"] };
    const verdict = repeated(run(1), invalid);
    expect(verdict.outcome).to.equal("invalid");
    expect(verdict.invalidBecause).to.deep.equal(["seed 2: the bench was off"]);
  });

  it("is a skipped case of the run's JUnit, and a case of that of all runs", () => {
    const identity = { experiment: "e", startedAt: "1970-01-01T00:00:00.000Z", durationMicroseconds: 1e6 };
    const alone = printJUnit(run(1.25), identity);
    expect(alone).to.contain('tests="2" failures="0" errors="0" skipped="1"');
    expect(alone).to.contain("judged over repetitions");
    expect(printJUnit(repeated(run(1), run(1.25)), identity)).to.contain("mean of 2 runs at least 7.5 Mbit/s");
  });
});

describe("the statistics of a few values", () => {
  it("have intervals by rank: of ten values the median lies between the second and the ninth", () => {
    const ten = [3, 1, 2, 10, 9, 8, 4, 5, 6, 7];
    expect(confidenceOf("median", ten)).to.deep.equal({ least: 2, most: 9 });
    expect(confidenceOf("median", ten.slice(0, 5))).to.equal(undefined);
    expect(confidenceOf("p95", ten)).to.equal(undefined);
    expect(confidenceOf("max", ten)).to.equal(undefined);
    expect(confidenceOf("mean", [1])).to.equal(undefined);
  });

  it("tell an interval of the 95th percentile from 72 values on, and of thousands too", () => {
    const values = (count: number): number[] => Array.from({ length: count }, (_, index) => index);
    expect(confidenceOf("p95", values(71))).to.equal(undefined);
    expect(confidenceOf("p95", values(72))).to.deep.include({ most: 71 });
    const many = confidenceOf("p95", values(10_000))!;
    expect(many.least).to.be.within(9_440, 9_470);
    expect(many.most).to.be.within(9_530, 9_560);
  });

  it("lie within the values and within their own intervals", () => {
    const values = fc.array(fc.double({ min: -1e9, max: 1e9, noNaN: true }), { minLength: 1, maxLength: 120 });
    fc.assert(
      fc.property(values, fc.constantFrom("median", "min", "max", "p95"), (samples, statistic) => {
        const value = statisticOf(statistic, samples);
        expect(value).to.be.within(Math.min(...samples), Math.max(...samples));
        const interval = confidenceOf(statistic, samples);
        if (interval) expect(value).to.be.within(interval.least, interval.most);
      }),
    );
  });
});

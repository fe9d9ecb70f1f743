import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "chai";
import { linkCalibration, linkCalibrationNames } from "../model/link-calibrations.ts";
import type { LinkShape } from "../model/link-profile.ts";
import { formatTrace, readTrace } from "../model/trace-file.ts";
import { opportunityBytes } from "../path/delivery-trace.ts";
import { drawTrace, drawTraces } from "./generated-traces.ts";

/** Length of the traces that the calibrations tell of. */
const seconds = 1000;
const seeds = Array.from({ length: 9 }, (_, index) => index);

const median = (values: readonly number[]): number => values.toSorted((a, b) => a - b)[(values.length - 1) / 2]!;

function statistics(trace: readonly number[]): { mean: number; p10: number; p50: number; p90: number; gap: number } {
  const rates = Array.from({ length: seconds }, () => 0);
  let [gap, before] = [0, 0];
  for (const moment of trace) {
    rates[Math.floor((moment - 1) / 1000)]! += opportunityBytes * 8;
    gap = Math.max(gap, moment - before);
    before = moment;
  }
  rates.sort((a, b) => a - b);
  const mean = (trace.length * opportunityBytes * 8) / seconds;
  return { mean, p10: rates[100]!, p50: rates[500]!, p90: rates[900]!, gap: gap * 1000 };
}

function longestGap(trace: readonly number[]): { begin: number; end: number } {
  let longest = { begin: 0, end: 0 };
  for (const [index, end] of trace.entries()) {
    const begin = trace[index - 1] ?? 0;
    if (end - begin > longest.end - longest.begin) longest = { begin, end };
  }
  return longest;
}

describe("generated traces", () => {
  for (const name of linkCalibrationNames) {
    it(`have mean, quantiles and longest gap of ${name}`, () => {
      const drawn = seeds.map((seed) => statistics(drawTrace(name, seconds * 1e6, seed, "down")));
      const share = (figure: keyof (typeof drawn)[number], wanted: number): number =>
        median(drawn.map((of) => of[figure])) / wanted;
      const calibration = linkCalibration(name);
      const { p10, p50, p90 } = calibration.rateQuantilesBitsPerSecond;
      expect(share("mean", calibration.meanBitsPerSecond), "mean").to.be.within(0.85, 1.15);
      expect(share("p10", p10), "p10").to.be.within(0.8, 1.4);
      expect(share("p50", p50), "p50").to.be.within(0.9, 1.1);
      expect(share("p90", p90), "p90").to.be.within(0.9, 1.1);
      expect(share("gap", calibration.longestGapMicroseconds), "longest gap").to.be.within(0.6, 1.6);
    });
  }

  const shape = (seed?: number): LinkShape => {
    const trace = {
      generate: "evdo-driving",
      durationMicroseconds: 120e6,
      ...(seed !== undefined && { seed }),
    } as const;
    return { up: { trace }, down: { trace } };
  };
  const moments = ({ up, down }: LinkShape) => [up, down].map(({ trace }) => trace!.opportunitiesMilliseconds!);

  it("differ by run, link and direction, and are the same for the same", () => {
    const drawn = moments(drawTraces("one", shape(), 1));
    expect(moments(drawTraces("one", shape(), 1))).to.deep.equal(drawn);
    expect(moments(drawTraces("one", shape(), 2))).not.to.deep.equal(drawn);
    expect(moments(drawTraces("other", shape(), 1))).not.to.deep.equal(drawn);
    expect(drawn[0]).not.to.deep.equal(drawn[1]);
  });

  it("with a seed of their own are those of `pathlab trace`, on each link and in each run", () => {
    const drawn = moments(drawTraces("one", shape(7), 1));
    expect(moments(drawTraces("other", shape(7), 2))).to.deep.equal(drawn);
    expect(drawn[1]).to.deep.equal(drawTrace("evdo-driving", 120e6, 7, "down"));
  });

  it("have as their rate the mean of what was drawn, and are not drawn again", () => {
    const drawn = drawTraces("one", shape(), 1);
    const { rateBitsPerSecond, trace } = drawn.down;
    expect(rateBitsPerSecond).to.equal(
      Math.round((trace!.opportunitiesMilliseconds!.length * opportunityBytes * 8) / 120),
    );
    expect(drawTraces("one", drawn, 2)).to.deep.equal(drawn);
  });

  it("lose coverage both ways at the same times", () => {
    const [up, down] = moments(drawTraces("one", shape(3), 1)).map(longestGap);
    expect(up!.end - up!.begin).to.be.above(2000);
    expect(Math.max(up!.begin, down!.begin)).to.be.below(Math.min(up!.end, down!.end));
  });

  it("go through a file of Mahimahi's format unchanged", () => {
    const directory = mkdtempSync(join(tmpdir(), "pathlab-trace-"));
    try {
      const file = join(directory, "lte.trace");
      const drawn = drawTrace("lte-driving", 30e6, 1, "down");
      writeFileSync(file, formatTrace(drawn));
      const read = readTrace(file);
      expect(read.ok && read.value.opportunitiesMilliseconds).to.deep.equal(drawn);
    } finally {
      rmSync(directory, { recursive: true });
    }
  });
});

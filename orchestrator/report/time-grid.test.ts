import { expect } from "chai";
import { scaleToUsual } from "./chart-scale.ts";
import type { ChartSpec } from "./chart-spec.ts";
import { extremesOnGrid, gridTimes, ratesOnGrid, timeGrid } from "./time-grid.ts";

describe("a time grid", () => {
  it("has a round width and as many slices as a page can carry, however long the run", () => {
    expect(timeGrid(30e6, 100_000)).to.deep.equal({ widthMicroseconds: 100_000, slices: 300 });
    expect(timeGrid(60e6, 100_000)).to.deep.equal({ widthMicroseconds: 200_000, slices: 300 });
    for (const seconds of [1, 7, 333, 86_400]) expect(timeGrid(seconds * 1e6, 1000).slices).to.be.within(1, 400);
  });

  it("loses no byte", () => {
    const grid = timeGrid(10e6, 100_000);
    const sums = Array.from({ length: 200 }, (_, index) => index);
    const total = ratesOnGrid(sums, 50_000, grid).reduce((sum, rate) => sum + (rate * grid.widthMicroseconds) / 1e6, 0);
    expect(total).to.be.closeTo((199 * 200) / 2, 1e-6);
    expect(gridTimes(grid).slice(0, 3)).to.deep.equal([0, 0.1, 0.2]);
  });

  it("hides no extreme, and makes up no value", () => {
    const grid = { widthMicroseconds: 100, slices: 3 };
    const times = [-5, 10, 20, 30, 250];
    const values = [99, 1, 7, NaN, 4];
    expect(extremesOnGrid(times, values, grid, Math.max)).to.deep.equal([7, null, 4]);
    expect(extremesOnGrid(times, values, grid, Math.min)).to.deep.equal([1, null, 4]);
  });
});

describe("a chart's scale", () => {
  const chart = (values: number[]): ChartSpec => ({
    id: "c",
    title: "c",
    note: "A note.",
    unit: "Mbit/s",
    kind: "steps",
    times: values.map((_, index) => index),
    series: [{ label: "s", colour: "--run-0", dashed: false, values }],
    spans: [],
  });
  const usual = Array.from({ length: 200 }, () => 10);

  it("is that of its highest value", () => {
    expect(scaleToUsual(chart([...usual, 25]))).to.deep.equal(chart([...usual, 25]));
    expect(scaleToUsual(chart([0, 0, 0, 5]))).to.not.have.property("top");
  });

  it("is that of its usual values where a peak would flatten them, and the note tells of the peak", () => {
    const scaled = scaleToUsual(chart([...usual, 110]));
    expect(scaled.top).to.equal(16);
    expect(scaled.note).to.equal(
      "A note. One value goes beyond the scale, the highest 110 Mbit/s at 200.0 s: bytes that had waited for a hole to be filled.",
    );
  });
});

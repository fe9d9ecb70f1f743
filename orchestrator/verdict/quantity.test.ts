import { expect } from "chai";
import { printCount, printMoment, printPercent, printRate, printSize, printTime } from "./quantity.ts";

describe("quantities for people", () => {
  const cases: [string, string][] = [
    [printRate(9_414_000), "9.41 Mbit/s"],
    [printRate(8e6), "8 Mbit/s"],
    [printRate(999_990), "1 Mbit/s"],
    [printRate(300), "300 bit/s"],
    [printTime(1_500_000), "1.5 s"],
    [printTime(20_040), "20 ms"],
    [printTime(0), "0 µs"],
    [printTime(NaN), "–"],
    [printSize(24_000_000), "24 MB"],
    [printSize(125), "125 B"],
    [printSize(12_345), "12.3 kB"],
    [printPercent(0.02), "2 %"],
    [printPercent(0.0004), "0.04 %"],
    [printCount(1, "stall"), "1 stall"],
    [printCount(0, "stall"), "0 stalls"],
    [printMoment(12_345_678), "12.346 s"],
  ];
  for (const [printed, expected] of cases) it(expected, () => void expect(printed).to.equal(expected));
});

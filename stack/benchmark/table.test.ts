import { expect } from "chai";
import { markdownTable, significant } from "./table.ts";

describe("a table in Markdown", () => {
  it("has its columns aligned, names to the left and numbers to the right", () => {
    const table = markdownTable<[string, number]>(
      [
        { title: "name", align: "left", cell: ([name]) => name },
        { title: "Gbit/s", cell: ([, gigabits]) => significant(gigabits) },
      ],
      [
        ["ours", 15.06],
        ["kernel MPTCP", 0.5],
      ],
    );
    expect(table.split("\n")).to.deep.equal([
      "| name         | Gbit/s |",
      "| ------------ | -----: |",
      "| ours         |   15.1 |",
      "| kernel MPTCP |  0.500 |",
    ]);
  });

  it("has numbers of three digits and no exponents", () => {
    expect([0, 0.012345, 0.9996, 9.999, 62_077.4, 123_456, -2.346].map(significant)).to.deep.equal([
      "0",
      "0.0123",
      "1.000",
      "10.00",
      "62,077",
      "123,456",
      "-2.35",
    ]);
    expect(significant(Number.NaN)).to.equal("-");
  });
});

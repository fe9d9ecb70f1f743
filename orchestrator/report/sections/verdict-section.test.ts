import { expect } from "chai";
import { verdictSection } from "./verdict-section.ts";

describe("the table of expectations", () => {
  it("keeps a figure on one line, and lets what is told in words have several", () => {
    const words = "the receiver reported no result (client: ETIME not complete at the deadline of 5.5 s)";
    const line = { workload: "download", expected: "", passed: false, witness: "capture" } as const;
    const section = verdictSection({
      schemaVersion: 1,
      outcome: "failed",
      invalidBecause: [],
      findings: [],
      expectations: [
        { ...line, metric: "goodput", measured: "7.9 Mbit/s", measuredValue: 7.9e6 },
        { ...line, metric: "intact", measured: words, measuredValue: false },
      ],
    });
    const { text } = section!;
    expect(text).to.contain('<td class="figure measured">7.9 Mbit/s</td>');
    expect(text).to.contain(`<td class="measured">${words}</td>`);
  });
});

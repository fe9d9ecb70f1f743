import { expect } from "chai";
import { LineSplitter } from "./ndjson.ts";

describe("LineSplitter", () => {
  it("puts lines together however they were cut, also within a character", () => {
    const bytes = Buffer.from('{"a":"é"}\n\n{"b":1}\nrest');
    for (let cut = 0; cut <= bytes.length; cut++) {
      const splitter = new LineSplitter();
      expect([...splitter.push(bytes.subarray(0, cut)), ...splitter.push(bytes.subarray(cut))]).to.deep.equal([
        '{"a":"é"}',
        '{"b":1}',
      ]);
      expect(splitter.unfinished).to.equal("rest");
    }
  });
});

import { expect } from "chai";
import { formatDiagnostic, formatPath, inFileOrder, nearestName } from "./diagnostics.ts";
import type { Diagnostic } from "./diagnostics.ts";

const diagnostic = (file: string, line: number, column: number): Diagnostic => ({
  file,
  line,
  column,
  path: "a.b[0]",
  found: "1",
  expected: "2",
  hint: "write 2",
});

describe("diagnostics", () => {
  it("have one form", () => {
    expect(formatDiagnostic(diagnostic("x.yaml", 3, 7))).to.equal("x.yaml:3:7: a.b[0]: found 1, expected 2; write 2");
    expect(formatPath(["links", "wifi", "ends", 0])).to.equal("links.wifi.ends[0]");
    expect(formatPath([])).to.equal("file");
  });

  it("come in the order of the file, each once", () => {
    const sorted = inFileOrder([
      diagnostic("x", 2, 9),
      diagnostic("y", 1, 1),
      diagnostic("x", 2, 3),
      diagnostic("x", 1, 5),
      diagnostic("x", 2, 3),
    ]);
    expect(sorted.map(({ file, line, column }) => `${file}:${line}:${column}`)).to.deep.equal([
      "x:1:5",
      "x:2:3",
      "x:2:9",
      "y:1:1",
    ]);
  });

  it("know the word that was meant, however it was written", () => {
    const known = ["playbackBuffer", "rate", "duration"];
    for (const written of ["playback_buffer", "playback-buffer", "PlaybackBuffer", "playbackBufer", "palybackBuffer"]) {
      expect(nearestName(written, known), written).to.equal("playbackBuffer");
    }
    expect(nearestName("colour", known)).to.equal(undefined);
    expect(nearestName("raet", known)).to.equal("rate");
  });
});

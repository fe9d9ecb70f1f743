import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import fc from "fast-check";
import { tcpStart } from "../wire-tap.ts";
import { realFrames } from "./corpus.ts";
import { mutate } from "./mutation.ts";
import { type FuzzTarget, targets } from "./targets.ts";

const scripts = join(import.meta.dirname, "../scripts");
const scriptTexts = readdirSync(scripts, { recursive: true, encoding: "utf8" })
  .filter((name) => name.endsWith(".pkt"))
  .map((name) => readFileSync(join(scripts, name)));

/** FUZZ_RUNS times as many inputs; by default what takes seconds. */
const factor = Number(process.env["FUZZ_RUNS"] ?? 1);
const lines = Buffer.from(`{"do":"stop"}\n\n{"do":"start","host":"größe \u{1F680}"}\r\n[1,2`);

const corpora: Record<keyof typeof targets, () => readonly Uint8Array[]> = {
  segment: () => realFrames().map((frame) => frame.subarray(tcpStart)),
  frame: realFrames,
  script: () => scriptTexts,
  lines: () => [lines],
};

describe("any bytes", function () {
  this.timeout(20_000 + 20_000 * factor);

  for (const [name, target] of Object.entries<FuzzTarget>(targets)) {
    const corpus = corpora[name as keyof typeof targets];

    it(`arbitrary ones do the ${name} parser no harm`, () => {
      fc.assert(
        fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => target(bytes)),
        { numRuns: 2_000 * factor, seed: 7 },
      );
    });

    it(`real ones, changed, do the ${name} parser no harm`, () => {
      const real = corpus();
      for (const bytes of real) target(bytes.slice());
      fc.assert(
        fc.property(fc.nat(real.length - 1), fc.nat(), (index, seed) => target(mutate(real[index]!, seed))),
        { numRuns: 5_000 * factor, seed: 8 },
      );
    });
  }
});

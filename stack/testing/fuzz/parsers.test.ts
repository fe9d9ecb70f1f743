import fc from "fast-check";
import { corpusFor } from "./corpus.ts";
import { mutate } from "./mutation.ts";
import { type FuzzTarget, targets } from "./targets.ts";

/** FUZZ_RUNS times as many inputs; by default what takes seconds. */
const factor = Number(process.env["FUZZ_RUNS"] ?? 1);
describe("any bytes", function () {
  this.timeout(120_000 + 20_000 * factor);

  for (const [name, target] of Object.entries<FuzzTarget>(targets)) {
    it(`arbitrary ones do the ${name} parser no harm`, () => {
      fc.assert(
        fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => target(bytes)),
        { numRuns: 2_000 * factor, seed: 7 },
      );
    });

    it(`real ones, changed, do the ${name} parser no harm`, () => {
      const real = corpusFor(name);
      for (const bytes of real) target(bytes.slice());
      fc.assert(
        fc.property(fc.nat(real.length - 1), fc.nat(), (index, seed) => target(mutate(real[index]!, seed))),
        { numRuns: 5_000 * factor, seed: 8 },
      );
    });
  }
});

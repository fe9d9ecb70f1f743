import { expect } from "chai";
import { runSeedsInParallel } from "./seed-workers.ts";

/**
 * How many seeds: 10,000 unless PROPERTY_SEEDS says otherwise (`PROPERTY_SEEDS=1000000 mocha stack/testing/property/adversarial-paths.property.test.ts`);
 * PROPERTY_FIRST_SEED, by default 1, is the first.
 */
const count = Number(process.env["PROPERTY_SEEDS"] ?? 10_000);
const first = Number(process.env["PROPERTY_FIRST_SEED"] ?? 1);
/** More than this many failing seeds are not all printed. */
const mostPrinted = 20;
const progressEvery = 50_000;

describe("two hosts over adversarial paths", () => {
  it(`keep the stream intact or tell the application in bounded time, give all memory back, and agree on the end: ${count} seeds`, async function () {
    this.timeout(120_000 + count * 20);
    const startedAt = performance.now();
    const perSecond = (done: number): string => ((done * 1000) / (performance.now() - startedAt)).toFixed(0);
    let printed = 0;
    const { failing, steps } = await runSeedsInParallel({ from: first, to: first + count }, (total) => {
      if (total.count < printed + progressEvery) return;
      printed = total.count;
      process.stdout.write(
        `      ${total.count} seeds, ${perSecond(total.count)}/s, failing: ${total.failing.map(({ seed }) => seed).join(" ") || "none"}\n`,
      );
    });
    process.stdout.write(`      ${count} seeds, ${perSecond(count)}/s, ${(steps / count).toFixed(0)} steps each\n`);
    const shown = failing.slice(0, mostPrinted);
    const text = shown.map(({ seed, failure, shrunk }) => `seed ${seed}: ${failure}\n  as small as it gets: ${shrunk}`);
    expect(failing.length, `failing seeds: ${failing.map(({ seed }) => seed).join(" ")}\n${text.join("\n")}`).to.equal(
      0,
    );
  });
});

import { expect } from "chai";
import { type KeptScenario, keptScenarios, scenarioFrom } from "./kept-scenarios.ts";
import { failureOf } from "./shrink.ts";

/** Scenarios that failed once, as small as they could be made. */
describe("scenarios that seeds have found", () => {
  for (const [name, kept] of Object.entries<KeptScenario>(keptScenarios)) {
    it(name, () => {
      expect(failureOf(scenarioFrom(kept))).to.equal(undefined);
    });
  }
});

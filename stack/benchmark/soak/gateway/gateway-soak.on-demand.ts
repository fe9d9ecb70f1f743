import { expect } from "chai";
import { runGatewaySoak } from "./gateway-soak.ts";

/** The short form of `soak.ts --gateway`, as root: `mocha --no-config FILE`. Not among the tests of `./pathlab test`: it waits for TIME-WAIT. */
describe("the soak of the gateway", function () {
  // Two minutes of it are TIME-WAIT.
  this.timeout(600_000);

  it("leaves nothing of 1,100 connections that were used, aborted and closed in every way", async () => {
    const checks = await runGatewaySoak({ rounds: 2, visits: 550, atATime: 50 }, () => undefined);
    expect(checks.filter(({ passed }) => !passed)).to.deep.equal([]);
    expect(checks).to.have.length(13);
  });
});

import { setImmediate as turn } from "node:timers/promises";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { expect } from "chai";
import { FreedMemory } from "./freed-memory.ts";

const mebibyte = 2 ** 20;

describe("memory that the process has freed", () => {
  /** A process of which so many MiB are resident, and in use. */
  function makeProcess() {
    const state = { resident: 100, used: 100, returns: 0 };
    const freed = new FreedMemory({
      residentBytes: () => state.resident * mebibyte,
      returnFreed() {
        state.resident = state.used;
        state.returns++;
      },
    });
    freed.look();
    state.returns = 0;
    return { state, freed };
  }

  it("goes back when the process has grown by much, and not for little", () => {
    const { state, freed } = makeProcess();
    state.resident = 131;
    freed.look();
    expect(state).to.include({ resident: 131, returns: 0 });
    state.resident = 132;
    freed.look();
    expect(state).to.include({ resident: 100, returns: 1 });
  });

  it("is not looked for again in memory that is in use", () => {
    const { state, freed } = makeProcess();
    state.resident = state.used = 500;
    for (let look = 0; look < 5; look++) freed.look();
    expect(state.returns).to.equal(1);
  });

  it("is what the process has grown by since it was smallest, not since it was last given back", () => {
    const { state, freed } = makeProcess();
    state.resident = state.used = 500;
    freed.look();
    state.resident = state.used = 120;
    freed.look();
    state.resident = 160;
    freed.look();
    expect(state).to.include({ resident: 120, returns: 2 });
  });

  it("goes back to the kernel although pieces between are in use", async function () {
    this.timeout(60_000);
    setFlagsFromString("--expose-gc");
    const collectGarbage = runInNewContext("gc") as () => void;
    // Below what glibc gets from the kernel piece by piece, and each sixteenth lives on.
    const pieces = Array.from({ length: 4_096 }, () => Buffer.allocUnsafeSlow(65_536).fill(1));
    const full = process.memoryUsage.rss();
    const kept = pieces.filter((_, index) => index % 16 === 0);
    pieces.length = 0;
    while (process.memoryUsage.rss() > full - 200 * mebibyte) {
      collectGarbage();
      await turn();
      new FreedMemory().look();
    }
    expect(kept).to.have.length(256);
  });
});

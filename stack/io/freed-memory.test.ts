import { setImmediate as turn } from "node:timers/promises";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { expect } from "chai";
import { keepReturningFreedMemory } from "./freed-memory.ts";

const mebibyte = 2 ** 20;

describe("memory that the process has freed", function () {
  this.timeout(60_000);

  it("goes back to the kernel although pieces between are in use", async () => {
    setFlagsFromString("--expose-gc");
    const collectGarbage = runInNewContext("gc") as () => void;
    // Below what glibc gets from the kernel piece by piece, and each sixteenth lives on.
    const pieces = Array.from({ length: 4_096 }, () => Buffer.allocUnsafeSlow(65_536).fill(1));
    const full = process.memoryUsage.rss();
    const kept = pieces.filter((_, index) => index % 16 === 0);
    pieces.length = 0;
    const returning = keepReturningFreedMemory(10);
    while (process.memoryUsage.rss() > full - 200 * mebibyte) {
      collectGarbage();
      await turn();
    }
    clearInterval(returning);
    expect(kept).to.have.length(256);
  });
});

import { expect } from "chai";
import { SuperPacketMemory } from "./super-packet-memory.ts";

const batch = 32;
const bytes = batch * 62_000;

/** How many of `count` super-packets leave in one piece, on a machine on which a byte costs this, in nanoseconds. */
function sent(memory: SuperPacketMemory, count: number, cost: { piece: number; pages: number }): number {
  let pieces = 0;
  for (let i = 0; i < count; i += batch) {
    const { isOnePiece } = memory;
    if (isOnePiece) pieces += batch;
    // Each ninth time somebody else has the processor.
    const waited = i % (9 * batch) === 0 ? 4_000 : 0;
    memory.onSent(batch, bytes, (bytes * (isOnePiece ? cost.piece : cost.pages)) / 1e3 + waited);
  }
  return pieces;
}

const near = { piece: 0.1, pages: 0.15 };
const far = { piece: 0.5, pages: 0.17 };
const many = 300_000;

describe("The memory of super-packets", () => {
  it("is one piece at first, and where that is faster", () => {
    const memory = new SuperPacketMemory();
    expect(sent(memory, 4_096, near)).to.equal(4_096);
    expect(sent(memory, many, near)).to.be.within(0.98 * many, 0.995 * many);
  });

  it("is pages where the processors are far from each other", () => {
    expect(sent(new SuperPacketMemory(), many, far)).to.be.within(4_096, 0.03 * many);
  });

  it("follows when the host of the guest moves them", () => {
    const memory = new SuperPacketMemory();
    for (let i = 0; i < 3; i++) {
      sent(memory, 70_000, far);
      expect(sent(memory, 50_000, far)).to.be.lessThan(2_000);
      sent(memory, 70_000, near);
      expect(sent(memory, 50_000, near)).to.be.greaterThan(48_000);
    }
  });

  it("is pages for a while when the kernel has found no piece, then tries again", () => {
    const memory = new SuperPacketMemory();
    memory.onRefused();
    expect(sent(memory, 256, near)).to.equal(0);
    expect(sent(memory, 10_000, near)).to.be.greaterThan(9_000);
  });
});

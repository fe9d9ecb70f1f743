import { expect } from "chai";
import fc from "fast-check";
import { SentRange } from "../tcp/sent-queue.ts";
import { GatherMemory } from "./gather-memory.ts";
import { SendBuffer } from "./send-buffer.ts";

/** The pieces of the segment that carries `length` bytes from data offset `start` on. */
function piecesAt(buffer: SendBuffer, start: number, length: number, range = new SentRange()): number[][] {
  buffer.fill(range, start, length);
  return range.buffers.map((bytes, i) => [...bytes.subarray(range.offsets[i], range.offsets[i]! + range.lengths[i]!)]);
}

describe("The send buffer", () => {
  it("gives each connection its own bytes back, whatever they write in turns into the same memory", () => {
    const step = fc.record({
      connection: fc.nat(1),
      length: fc.oneof(fc.integer({ min: 1, max: 40 }), fc.integer({ min: 500, max: 524 })),
      acknowledged: fc.nat(100),
    });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 100 }), (steps) => {
        const gather = new GatherMemory();
        const ends = [0, 1].map(() => ({ buffer: new SendBuffer(1e6, gather), written: [] as number[], first: 0 }));
        for (const [i, { connection, length, acknowledged }] of steps.entries()) {
          const end = ends[connection]!;
          const chunk = Uint8Array.from({ length }, (_, at) => i * 31 + at);
          end.buffer.write(chunk);
          end.written.push(...chunk);
          // What the application does with a small chunk after it has written it is its own business only where it was copied.
          if (length < 512) chunk.fill(0);
          end.first = Math.min(end.written.length, end.first + acknowledged);
          end.buffer.acknowledge(end.first);
          for (const { buffer, written, first } of ends)
            expect(piecesAt(buffer, first, written.length - first).flat()).to.deep.equal(written.slice(first));
        }
      }),
      { numRuns: 100 },
    );
  });

  it("joins small writes that follow each other into one piece", () => {
    const buffer = new SendBuffer(1e6);
    for (let i = 0; i < 100; i++) buffer.write(Uint8Array.of(i));
    expect(piecesAt(buffer, 10, 80)).to.deep.equal([Array.from({ length: 80 }, (_, i) => 10 + i)]);
  });

  it("keeps a chunk in one piece that comes as there is room for it, and nothing beyond it", () => {
    const memory = Uint8Array.from({ length: 4_000 }, (_, at) => at);
    const chunk = memory.subarray(0, 3_000);
    const buffer = new SendBuffer(2_000);
    let taken = buffer.write(chunk);
    for (const room of [1, 499, 500]) {
      buffer.acknowledge(taken - 2_000 + room);
      taken += buffer.write(chunk.subarray(taken));
    }
    expect(taken).to.equal(3_000);
    expect(piecesAt(buffer, 1_000, 2_000)).to.deep.equal([[...memory.subarray(1_000, 3_000)]]);
    buffer.acknowledge(3_000);
    buffer.write(memory.subarray(3_000));
    expect(piecesAt(buffer, 3_000, 1_000)).to.deep.equal([[...memory.subarray(3_000)]]);
    buffer.acknowledge(3_500);
    buffer.write(chunk.subarray(0, 600));
    expect(piecesAt(buffer, 3_500, 1_100)).to.have.length(2);
  });

  it("asks for no memory of its own for small writes that have been acknowledged", () => {
    const gather = new GatherMemory();
    const memories = new Set<ArrayBufferLike>();
    for (let i = 0; i < 1_000; i++) {
      const buffer = new SendBuffer(1e6, gather);
      buffer.write(Uint8Array.of(1));
      memories.add(gather.bytes.buffer);
      buffer.acknowledge(1);
    }
    expect(memories.size).to.equal(1);
  });
});

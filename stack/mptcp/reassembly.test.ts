import { expect } from "chai";
import fc from "fast-check";
import { Reassembly } from "./reassembly.ts";

const stream = Uint8Array.from({ length: 5_000 }, (_, i) => (i * 7 + (i >> 8)) & 255);

describe("connection-level reassembly", () => {
  it("gives back the stream whatever the order, overlap and repetition of its pieces", () => {
    const piece = fc.tuple(fc.nat(stream.length - 1), fc.integer({ min: 1, max: 900 }));
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 60 }), fc.integer({ min: 1, max: 3_000 }), (pieces, readSize) => {
        const reassembly = new Reassembly(10_000);
        const received: number[] = [];
        const readAll = (): void => {
          for (let chunk = reassembly.read(readSize); chunk !== undefined; chunk = reassembly.read(readSize))
            received.push(...chunk);
        };
        const covered = new Set<number>();
        for (const [start, wanted] of pieces) {
          const length = Math.min(wanted, stream.length - start);
          reassembly.receive(start, stream, start, length);
          for (let i = start; i < start + length; i++) covered.add(i);
          readAll();
          let contiguous = 0;
          while (covered.has(contiguous)) contiguous++;
          expect(reassembly.next).to.equal(contiguous);
          expect(reassembly.outOfOrderBytes).to.equal([...covered].filter((i) => i >= contiguous).length);
        }
        reassembly.receive(0, stream, 0, stream.length);
        readAll();
        expect(received).to.deep.equal([...stream]);
        expect(reassembly.outOfOrderBytes).to.equal(0);
      }),
    );
  });

  it("takes nothing beyond the window, and opens it when the application reads", () => {
    const reassembly = new Reassembly(1_000);
    reassembly.receive(0, stream, 0, 1_500);
    expect([reassembly.next, reassembly.window]).to.deep.equal([1_000, 0]);
    expect(reassembly.read(400)!.length).to.equal(400);
    expect(reassembly.window).to.equal(400);
  });

  it("counts DATA_FIN as one, after the data before it, and nothing after it", () => {
    const reassembly = new Reassembly(1_000);
    expect(reassembly.receiveFin(300)).to.equal(false);
    reassembly.receive(100, stream, 100, 400);
    expect(reassembly.complete).to.equal(false);
    reassembly.receive(0, stream, 0, 100);
    expect([reassembly.complete, reassembly.next, reassembly.receivedInOrder]).to.deep.equal([true, 301, 300]);
  });
});

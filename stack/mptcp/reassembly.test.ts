import { expect } from "chai";
import fc from "fast-check";
import { Reassembly } from "./reassembly.ts";
import { SlabPool } from "./slab-pool.ts";

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

  it("puts what comes next into memory that the reader has offered, and loses nothing of it whatever is offered and read when", () => {
    const step = fc.oneof(
      fc.record({ receive: fc.nat(stream.length - 1), length: fc.integer({ min: 1, max: 900 }) }),
      fc.record({ offer: fc.constantFrom(0, 1, undefined) }),
      fc.record({ readInto: fc.constantFrom(0, 1) }),
      fc.record({ read: fc.integer({ min: 1, max: 600 }) }),
    );
    fc.assert(
      fc.property(
        fc.array(step, { minLength: 20, maxLength: 80 }),
        fc.tuple(fc.nat(700), fc.nat(300)),
        (steps, sizes) => {
          const targets = sizes.map((size) => new Uint8Array(size));
          const reassembly = new Reassembly(10_000);
          const received: number[] = [];
          const take = (target: Uint8Array): void => {
            const length = reassembly.readInto(target);
            received.push(...target.subarray(0, length));
            target.fill(0xee); // It is the reader's now.
          };
          for (const made of steps) {
            const readable = reassembly.readableBytes;
            if ("receive" in made) {
              const length = Math.min(made.length, stream.length - made.receive);
              reassembly.receive(made.receive, stream, made.receive, length);
            } else if ("offer" in made) reassembly.offer(made.offer === undefined ? undefined : targets[made.offer]);
            else if ("readInto" in made) take(targets[made.readInto]!);
            else received.push(...(reassembly.read(made.read) ?? []));
            if ("offer" in made) expect(reassembly.readableBytes).to.equal(readable);
            expect(received.length + reassembly.readableBytes).to.equal(reassembly.next);
          }
          reassembly.receive(0, stream, 0, stream.length);
          for (const target = new Uint8Array(512); reassembly.readableBytes > 0;) take(target);
          expect(received).to.deep.equal([...stream]);
          expect(reassembly.heldBytes).to.be.lessThan(2 * 4_096);
        },
      ),
    );
  });

  it("copies once what finds offered memory, and takes memory of its own for the rest", () => {
    const reassembly = new Reassembly(10_000);
    const target = new Uint8Array(1_000);
    reassembly.offer(target);
    reassembly.receive(0, stream, 0, 600);
    expect(reassembly.heldBytes).to.equal(0);
    expect(target.subarray(0, 600)).to.deep.equal(stream.subarray(0, 600));
    reassembly.receive(600, stream, 600, 600);
    expect(reassembly.heldBytes).to.be.greaterThan(0);
    expect(reassembly.readInto(target)).to.equal(1_000);
    expect(target).to.deep.equal(stream.subarray(0, 1_000));
    reassembly.receive(1_200, stream, 1_200, 100);
    expect(target, "after the read it is the reader's").to.deep.equal(stream.subarray(0, 1_000));
    expect(reassembly.readInto(target)).to.equal(300);
    expect(reassembly.heldBytes).to.equal(0);
  });

  it("gives offered memory back when it is withdrawn", () => {
    const reassembly = new Reassembly(10_000);
    const target = new Uint8Array(1_000);
    reassembly.offer(target);
    reassembly.receive(0, stream, 0, 500);
    reassembly.offer(undefined);
    target.fill(0);
    reassembly.receive(500, stream, 500, 100);
    expect(target.every((byte) => byte === 0)).to.equal(true);
    expect(reassembly.read(1_000)).to.deep.equal(stream.slice(0, 600));
  });

  it("keeps apart what several streams have read into one memory", () => {
    const step = fc.record({ which: fc.nat(2), what: fc.constantFrom("receive", "offer", "withdraw", "read") });
    fc.assert(
      fc.property(
        fc.array(step, { minLength: 30, maxLength: 100 }),
        fc.integer({ min: 1, max: 400 }),
        (steps, size) => {
          const memory = new ArrayBuffer(700);
          const streams = [0, 1, 2].map((which) => ({
            reassembly: new Reassembly(10_000),
            bytes: Uint8Array.from({ length: 20_000 }, (_, i) => (i * 7 + (i >> 8) + 85 * which) & 255),
            // Two of them have the very same part.
            target: new Uint8Array(memory, which === 2 ? 100 : 0, 500),
            received: [] as number[],
          }));
          const read = ({ reassembly, target, received }: (typeof streams)[0]): void => {
            const length = reassembly.readInto(target);
            received.push(...target.subarray(0, length));
            target.fill(0xee);
          };
          for (const { which, what } of steps) {
            const stream = streams[which]!;
            const { reassembly, bytes, target } = stream;
            if (what === "offer") reassembly.offer(target);
            else if (what === "withdraw") reassembly.offer(undefined);
            else if (what === "read") read(stream);
            else reassembly.receive(reassembly.next, bytes, reassembly.next, size);
          }
          for (const stream of streams) {
            while (stream.reassembly.readableBytes > 0) read(stream);
            const { received, bytes, reassembly } = stream;
            expect(received).to.deep.equal([...bytes.subarray(0, reassembly.next)]);
          }
        },
      ),
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

  it("holds nothing of a stream that was read to its end, whichever of both came first", () => {
    for (const finFirst of [true, false]) {
      const reassembly = new Reassembly(1_000);
      if (finFirst) reassembly.receiveFin(300);
      reassembly.receive(0, stream, 0, 300);
      expect(reassembly.heldBytes).to.be.greaterThan(0);
      reassembly.read(300);
      if (!finFirst) reassembly.receiveFin(300);
      expect(reassembly.heldBytes).to.equal(0);
    }
  });

  it("leaves the application what it was given, whatever memory is used again", () => {
    const long = Uint8Array.from({ length: 2_000_000 }, (_, i) => (i * 31 + (i >> 10)) & 255);
    const target = new Uint8Array(100_000);
    const pieces = fc.array(fc.record({ length: fc.integer({ min: 1, max: 400_000 }), given: fc.boolean() }));
    fc.assert(
      fc.property(pieces, (reads) => {
        const pool = new SlabPool();
        const reassembly = new Reassembly(1_000_000, pool);
        const held: { start: number; chunk: Uint8Array }[] = [];
        for (const { length, given } of reads) {
          const start = reassembly.consumed;
          reassembly.receive(reassembly.next, long, reassembly.next, Math.min(length, long.length - reassembly.next));
          if (given) {
            const chunk = reassembly.read(length);
            if (chunk !== undefined) held.push({ start, chunk });
          } else held.push({ start, chunk: target.slice(0, reassembly.readInto(target)) });
        }
        for (const { start, chunk } of held)
          expect(Buffer.compare(chunk, long.subarray(start, start + chunk.length))).to.equal(0);
      }),
      { numRuns: 50 },
    );
  });

  it("asks for no new memory when what it holds is read into the application's", () => {
    const taken = new Set<Uint8Array>();
    class CountingPool extends SlabPool {
      override take(size: number): Uint8Array {
        const slab = super.take(size);
        taken.add(slab);
        return slab;
      }
    }
    const reassembly = new Reassembly(1_000_000, new CountingPool());
    const segment = new Uint8Array(64_000);
    for (let i = 0; i < 1_000; i++) {
      reassembly.receive(reassembly.next, segment, 0, segment.length);
      reassembly.readInto(segment);
    }
    const largest = [...taken].filter(({ length }) => length === 262_144);
    expect([largest.length, taken.size]).to.satisfy(([of, all]: number[]) => of! >= 1 && of! <= 2 && all! <= 8);
  });

  it("holds nothing while it waits for more, but the rest of what the application has been given", () => {
    const reassembly = new Reassembly(1_000_000);
    const target = new Uint8Array(10_000);
    const comes = (length: number): void => void reassembly.receive(reassembly.next, stream, 0, length);
    for (const length of [1, 3_000, 4_096, 5_000]) {
      comes(length);
      expect(reassembly.heldBytes).to.be.greaterThan(0);
      reassembly.readInto(target);
      expect(reassembly.heldBytes).to.equal(0);
    }
    comes(100);
    expect(reassembly.read(100)!.buffer.byteLength).to.equal(100);
    expect(reassembly.heldBytes).to.equal(0);
    comes(2_000);
    reassembly.read(2_000);
    expect(reassembly.heldBytes).to.be.greaterThan(0);
  });

  it("keeps what came before its turn, however often it has been read up to there", () => {
    const reassembly = new Reassembly(1_000_000);
    reassembly.receive(2_000, stream, 2_000, 1_000);
    const received: number[] = [];
    for (let start = 0; start < 2_000; start += 500) {
      reassembly.receive(start, stream, start, 500);
      for (let chunk = reassembly.read(400); chunk !== undefined; chunk = reassembly.read(400)) received.push(...chunk);
    }
    expect(received).to.deep.equal([...stream.subarray(0, 3_000)]);
  });
});

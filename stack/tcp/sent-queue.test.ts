import { expect } from "chai";
import fc from "fast-check";
import { SentQueue, type SentRange } from "./sent-queue.ts";

const bytes = Uint8Array.from({ length: 1_000 }, (_, i) => i & 255);

function payloadOf(range: SentRange): number[] {
  const payload: number[] = [];
  for (let i = 0; i < range.pieceCount; i++) {
    payload.push(...range.buffers[i]!.subarray(range.offsets[i], range.offsets[i]! + range.lengths[i]!));
  }
  return payload;
}

describe("the queue of what was sent", () => {
  it("keeps payload, mapping and both orders through any sequence of splits", () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 1, max: 999 }), { maxLength: 20 }), fc.nat(998), (cuts, boundary) => {
        const queue = new SentQueue();
        const whole = queue.append(0, 1_000);
        whole.addPiece(bytes, 0, boundary + 1);
        whole.addPiece(bytes, boundary + 1, 999 - boundary);
        whole.mappingDataStart = 70_000;
        whole.mappingLength = 1_000;
        queue.markSent(whole, 5);
        for (const cut of cuts) {
          for (let range = queue.head; range !== undefined; range = range.next) {
            if (range.start < cut && cut < range.end) queue.split(range, cut);
          }
        }
        let position = 0;
        let sent = queue.sentHead;
        for (let range = queue.head; range !== undefined; range = range.next) {
          expect(range.start).to.equal(position);
          expect(payloadOf(range)).to.deep.equal([...bytes.subarray(range.start, range.end)]);
          expect([range.dataStart, range.mappingStart, range.mappingLength]).to.deep.equal([
            70_000 + range.start,
            0,
            1_000,
          ]);
          expect(sent).to.equal(range);
          sent = sent?.nextSent;
          position = range.end;
        }
        expect(position).to.equal(1_000);
        expect(queue.tail?.end).to.equal(1_000);
      }),
    );
  });

  it("gives ranges that were others' before as new ones", () => {
    const other = new SentQueue();
    const used = other.append(5, 15);
    used.addPiece(bytes, 0, 10);
    Object.assign(used, { mappingStart: 5, mappingDataStart: 70, mappingLength: 10, mappingChecksum: 3, lost: true });
    other.markSent(used, 7);
    other.clear();
    const taken = new SentQueue().append(0, 1);
    expect(taken).to.equal(used);
    const { mappingStart, mappingDataStart, mappingLength, mappingChecksum, lost, transmissions, pieceCount } = taken;
    expect({
      mappingStart,
      mappingDataStart,
      mappingLength,
      mappingChecksum,
      lost,
      transmissions,
      pieceCount,
    }).to.deep.equal({
      mappingStart: 0,
      mappingDataStart: 0,
      mappingLength: 0,
      mappingChecksum: -1,
      lost: false,
      transmissions: 0,
      pieceCount: 0,
    });
  });

  it("orders by the time of the last transmission", () => {
    const queue = new SentQueue();
    const ranges = [0, 1, 2].map((i) => queue.append(i * 10, i * 10 + 10));
    ranges.forEach((range, i) => queue.markSent(range, i));
    queue.markSent(ranges[0]!, 9);
    expect([queue.sentHead, queue.sentHead?.nextSent, queue.sentHead?.nextSent?.nextSent]).to.deep.equal([
      ranges[1],
      ranges[2],
      ranges[0],
    ]);
    queue.removeHead();
    expect([queue.head, queue.sentHead?.nextSent?.nextSent]).to.deep.equal([ranges[1], undefined]);
  });
});

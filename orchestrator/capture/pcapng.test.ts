import { expect } from "chai";
import * as fc from "fast-check";
import { clockComment, realtimeOffsetFromComments } from "./clock-comment.ts";
import { PcapngEncoder } from "./pcapng-encoder.ts";
import { decodePcapng, PcapngError, type PcapngBlock } from "./pcapng-reader.ts";
import { TimeOrderedPackets } from "./time-ordered-packets.ts";

const packet = (over: { interfaceId?: number; seconds?: number; nanoseconds?: number; data?: number[] } = {}) => {
  const bytes = Uint8Array.from(over.data ?? [1, 2, 3, 4, 5]);
  return {
    interfaceId: over.interfaceId ?? 0,
    seconds: over.seconds ?? 1_800_000_000,
    nanoseconds: over.nanoseconds ?? 123_456_789,
    bytes,
    start: 0,
    length: bytes.length,
    originalLength: bytes.length + 100,
    direction: "inbound" as const,
  };
};

function fileWith(write: (encoder: PcapngEncoder) => void, interfaces = 1): Uint8Array {
  const encoder = new PcapngEncoder(16);
  encoder.sectionHeader("pathlab test", ["first", "zweiter Kommentar ✓"]);
  for (let i = 0; i < interfaces; i++) encoder.interfaceDescription(`phone/wifi${i}`, "a test", 192);
  write(encoder);
  return encoder.bytes.slice();
}

async function read(chunks: Uint8Array[]): Promise<{ blocks: PcapngBlock[]; error: unknown }> {
  const blocks: PcapngBlock[] = [];
  try {
    for await (const block of decodePcapng(chunks)) blocks.push(block);
    return { blocks, error: undefined };
  } catch (error) {
    return { blocks, error };
  }
}

const message = async (bytes: Uint8Array) => ((await read([bytes])).error as Error | undefined)?.message;
const numbers = async (blocks: Uint8Array) => {
  const header = fileWith(() => {}, 2);
  const found = (await read([header, blocks])).blocks.filter((block) => block.type === "packet");
  return found.map(({ data }) => data[0]);
};
const add = (packets: TimeOrderedPackets, number: number, seconds: number, nanoseconds: number) =>
  packets.add(packet({ data: [number], seconds, nanoseconds, interfaceId: number % 2 }));

describe("a pcapng file", () => {
  it("gives back what was written", async () => {
    const { blocks, error } = await read([
      fileWith((encoder) => {
        encoder.packet({ ...packet(), direction: "outbound", comment: "dropped by the queue" });
        encoder.interfaceStatistics(0, { seconds: 1_800_000_001, nanoseconds: 0 }, 7, 2);
      }),
    ]);
    expect(error).to.equal(undefined);
    expect(blocks).to.deep.equal([
      { type: "section", comments: ["first", "zweiter Kommentar ✓"], application: "pathlab test" },
      {
        type: "interface",
        interfaceId: 0,
        name: "phone/wifi0",
        description: "a test",
        linkType: 1,
        snapLength: 192,
      },
      {
        type: "packet",
        interfaceId: 0,
        seconds: 1_800_000_000,
        nanoseconds: 123_456_789,
        data: Uint8Array.of(1, 2, 3, 4, 5),
        originalLength: 105,
        direction: "outbound",
        comments: ["dropped by the queue"],
      },
      { type: "statistics", interfaceId: 0, received: 7, dropped: 2 },
    ]);
  });

  it("keeps every nanosecond and every length, however the file is cut into chunks", async () => {
    const packets = fc.array(
      fc.record({
        interfaceId: fc.integer({ min: 0, max: 2 }),
        seconds: fc.integer({ min: 0, max: 0xffffffff }),
        nanoseconds: fc.integer({ min: 0, max: 999_999_999 }),
        data: fc.array(fc.integer({ min: 0, max: 255 }), { maxLength: 70 }),
      }),
      { maxLength: 20 },
    );
    await fc.assert(
      fc.asyncProperty(packets, fc.integer({ min: 1, max: 97 }), async (written, chunkBytes) => {
        const file = fileWith((encoder) => written.forEach((each) => encoder.packet(packet(each))), 3);
        const chunks: Uint8Array[] = [];
        for (let at = 0; at < file.length; at += chunkBytes) chunks.push(file.subarray(at, at + chunkBytes));
        const { blocks, error } = await read(chunks);
        expect(error).to.equal(undefined);
        const found = blocks.filter((block) => block.type === "packet");
        expect(
          found.map(({ interfaceId, seconds, nanoseconds, data }) => ({
            interfaceId,
            seconds,
            nanoseconds,
            data: [...data],
          })),
        ).to.deep.equal(written);
      }),
    );
  });

  it("cut off anywhere gives its whole blocks and then says where it ends", async () => {
    const file = fileWith((encoder) => {
      for (let i = 0; i < 3; i++) encoder.packet(packet());
    });
    const whole = (await read([file])).blocks;
    for (let length = 1; length < file.length; length++) {
      const { blocks, error } = await read([file.subarray(0, length)]);
      expect(blocks).to.deep.equal(whole.slice(0, blocks.length));
      // A cut between two blocks cannot be seen.
      if (error !== undefined) expect(error).to.be.instanceOf(PcapngError);
      else expect(blocks.length).to.be.at.least(1);
    }
    const cut = (await read([file.subarray(0, file.length - 1)])).error;
    expect((cut as Error).message).to.equal(`byte ${file.length - 52}: the file ends within a block`);
  });

  it("is refused when it is something else or damaged", async () => {
    expect(await message(new Uint8Array(0))).to.equal("byte 0: the file is empty");
    expect(await message(Uint8Array.from({ length: 40 }, (_, i) => i))).to.match(/^byte 0: not a pcapng file/);
    const file = fileWith((encoder) => encoder.packet(packet({ interfaceId: 5 })));
    expect(await message(file)).to.match(/a packet of interface 5, not described/);
    const lengths = fileWith((encoder) => encoder.packet(packet()));
    lengths[lengths.length - 4]! ^= 8;
    expect(await message(lengths)).to.match(/the lengths at both ends of the block differ/);
  });

  it("of other writers is read too: big-endian, microseconds, blocks that we do not know", async () => {
    const view = new DataView(new ArrayBuffer(28 + 20 + 16 + 36));
    const words = [
      [0x0a0d0d0a, 28, 0x1a2b3c4d, 0x00010000, 0xffffffff, 0xffffffff, 28],
      [1, 20, 0x00010000, 0, 20],
      [0x0bad, 16, 42, 16],
      [6, 36, 0, 0x0005b4c0, 0x3c8e7b40, 2, 2, 0xabcd0000, 36],
    ].flat();
    words.forEach((word, i) => view.setUint32(i * 4, word));
    const { blocks, error } = await read([new Uint8Array(view.buffer)]);
    expect(error).to.equal(undefined);
    const microseconds = 0x0005b4c0 * 2 ** 32 + 0x3c8e7b40;
    expect(blocks.at(-1)).to.deep.include({
      type: "packet",
      seconds: Math.floor(microseconds / 1e6),
      nanoseconds: (microseconds % 1e6) * 1000,
      data: Uint8Array.of(0xab, 0xcd),
      direction: "unknown",
    });
  });

  it("never crashes the reader, whatever bytes it holds", async () => {
    const file = fileWith((encoder) => {
      for (let i = 0; i < 5; i++) encoder.packet({ ...packet(), comment: "c" });
      encoder.interfaceStatistics(0, { seconds: 1, nanoseconds: 1 }, 1, 1);
    });
    await fc.assert(
      fc.asyncProperty(fc.nat(file.length - 1), fc.nat(255), async (at, value) => {
        const damaged = file.slice();
        damaged[at] = value;
        const { error } = await read([damaged]);
        if (error !== undefined) expect(error).to.be.instanceOf(PcapngError);
      }),
      { numRuns: 1000 },
    );
  });

  it("carries the offset between its clock and that of the run", () => {
    expect(realtimeOffsetFromComments(["by hand", clockComment(1_795_349_475_194_960.75)])).to.equal(
      1_795_349_475_194_960.8,
    );
    expect(realtimeOffsetFromComments([])).to.equal(undefined);
  });
});

describe("packets of several interfaces", () => {
  it("come out in order of time, those after the limit later", async () => {
    const packets = new TimeOrderedPackets();
    add(packets, 1, 100, 500);
    add(packets, 2, 101, 0);
    add(packets, 3, 99, 999_999_999);
    add(packets, 4, 100, 499);
    expect(await numbers(packets.takeUntil(100, 500))).to.deep.equal([3, 4, 1]);
    add(packets, 5, 100, 600);
    expect(await numbers(packets.takeUntil(Infinity, 0))).to.deep.equal([5, 2]);
    expect(packets.bytes).to.equal(0);
  });

  it("of one nanosecond keep the order in which they were read", async () => {
    const packets = new TimeOrderedPackets();
    for (let i = 0; i < 50; i++) add(packets, i, 1_800_000_000, 7);
    expect(await numbers(packets.takeUntil(1_800_000_000, 7))).to.deep.equal(Array.from({ length: 50 }, (_, i) => i));
  });
});

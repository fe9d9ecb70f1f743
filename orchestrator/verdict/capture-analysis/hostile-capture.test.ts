import { expect } from "chai";
import fc from "fast-check";
import { realFrames } from "../../../stack/testing/fuzz/corpus.ts";
import { mutate } from "../../../stack/testing/fuzz/mutation.ts";
import { PcapngEncoder } from "../../capture/pcapng-encoder.ts";
import { decodePcapng, PcapngError } from "../../capture/pcapng-reader.ts";
import { twoPathPlan } from "../fixture/two-path-plan.ts";
import { analyseFrames, type WireFrame } from "./analyse-frames.ts";

/** FUZZ_RUNS times as many inputs; by default what takes seconds. */
const factor = Number(process.env["FUZZ_RUNS"] ?? 1);
const real = realFrames();

/** Frames as they stand on the server's side, some of them changed. */
function capture(seeds: readonly number[]): WireFrame[] {
  return real.map((frame, i) => {
    const seed = seeds[i % seeds.length]!;
    const bytes = (seed + i) % 3 === 0 ? mutate(frame, seed + i) : frame;
    const wireLength = bytes.length + (seed % 5 === 0 ? 100 : 0);
    return { host: seed % 2 === 0 ? "server" : "phone", epochMicroseconds: i * 1_000, bytes, wireLength };
  });
}

function file(): Uint8Array {
  const encoder = new PcapngEncoder(16);
  encoder.sectionHeader("pathlab test", ["a comment"]);
  encoder.interfaceDescription("server/eth0", "a test", 192);
  for (const [i, bytes] of real.slice(0, 40).entries()) {
    const time = { interfaceId: 0, seconds: i, nanoseconds: 0, start: 0 };
    encoder.packet({ ...time, bytes, length: bytes.length, originalLength: bytes.length, direction: "inbound" });
  }
  encoder.interfaceStatistics(0, { seconds: 50, nanoseconds: 0 }, 40, 0);
  return encoder.bytes.slice();
}

describe("a capture that nobody vouches for", function () {
  this.timeout(120_000 + 20_000 * factor);

  it("is judged without a crash, whatever its frames hold", async () => {
    const plan = twoPathPlan();
    await fc.assert(
      fc.asyncProperty(fc.array(fc.nat(), { minLength: 1, maxLength: 20 }), async (seeds) => {
        const frames = capture(seeds);
        const analysis = await analyseFrames(frames, plan, 0, () => ({ lostFrames: 0 }));
        expect(analysis.capture.frames).to.equal(frames.length);
        JSON.stringify(analysis);
      }),
      { numRuns: 150 * factor, seed: 9 },
    );
  });

  it("is read to its damage, which is told with its place", async () => {
    const whole = file();
    await fc.assert(
      fc.asyncProperty(fc.nat(), async (seed) => {
        const bytes = mutate(whole, seed);
        let packetBytes = 0;
        try {
          for await (const block of decodePcapng([bytes]))
            if (block.type === "packet") packetBytes += block.data.length;
        } catch (error) {
          expect(error).to.be.instanceOf(PcapngError);
          expect((error as PcapngError).offset).to.be.within(0, bytes.length);
        }
        expect(packetBytes).to.be.at.most(bytes.length);
      }),
      { numRuns: 1_500 * factor, seed: 10 },
    );
  });
});

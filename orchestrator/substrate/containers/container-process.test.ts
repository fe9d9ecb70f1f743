import { Duplex } from "node:stream";
import { text } from "node:stream/consumers";
import { expect } from "chai";
import * as fc from "fast-check";
import { separateStreams } from "./container-process.ts";

describe("Docker's multiplexed stream", () => {
  it("is the same two streams however the connection cuts it", async () => {
    const frame = fc.tuple(fc.constantFrom(1, 2), fc.string({ maxLength: 40 }));
    await fc.assert(
      fc.asyncProperty(
        fc.array(frame),
        fc.array(fc.integer({ min: 1, max: 30 }), { minLength: 1 }),
        async (frames, cuts) => {
          const bytes = Buffer.concat(frames.map(([stream, payload]) => framed(stream, payload)));
          const connection = new Duplex({ read: () => undefined, write: (_chunk, _encoding, done) => done() });
          const { stdout, stderr, ended } = separateStreams(connection);
          const texts = Promise.all([text(stdout), text(stderr)]);
          for (let at = 0, turn = 0; at < bytes.length; turn++) {
            const length = cuts[turn % cuts.length] ?? 1;
            connection.push(bytes.subarray(at, at + length));
            at += length;
          }
          connection.push(null);
          connection.end();
          await ended;
          const payloads = (wanted: number): string =>
            frames.flatMap(([stream, payload]) => (stream === wanted ? [payload] : [])).join("");
          expect(await texts).to.deep.equal([payloads(1), payloads(2)]);
        },
      ),
      { numRuns: 50 },
    );
  });
});

function framed(stream: number, payload: string): Buffer {
  const body = Buffer.from(payload);
  const header = Buffer.alloc(8);
  header[0] = stream;
  header.writeUInt32BE(body.length, 4);
  return Buffer.concat([header, body]);
}

import { expect } from "chai";
import fc from "fast-check";
import { checkStreams } from "./check-streams.ts";
import { converse, makePair } from "./pair.ts";
import type { PipeOptions } from "./network.ts";

const pipe: fc.Arbitrary<PipeOptions> = fc.record({
  rate: fc.constantFrom(1_000_000, 10_000_000, 100_000_000),
  delay: fc.integer({ min: 100, max: 60_000 }),
  queueBytes: fc.constantFrom(8_000, 40_000, 200_000),
  loss: fc.constantFrom(0, 0.01, 0.08),
  duplicate: fc.constantFrom(0, 0.05),
  reorder: fc.constantFrom(0, 0.05, 0.3),
  reorderDelay: fc.integer({ min: 0, max: 20_000 }),
});

describe("a stream over adversarial paths", () => {
  it("arrives intact in both directions, whatever is lost, reordered or duplicated", function () {
    this.timeout(120_000);
    const scenario = fc.record({
      seed: fc.nat(),
      paths: fc.array(pipe, { minLength: 1, maxLength: 3 }),
      clientSends: fc.integer({ min: 0, max: 200_000 }),
      serverSends: fc.integer({ min: 0, max: 200_000 }),
      mptcp: fc.boolean(),
      dssChecksum: fc.boolean(),
      receiveBufferBytes: fc.constantFrom(8_192, 65_536, 6_291_456),
    });
    fc.assert(
      fc.property(scenario, ({ seed, paths, clientSends, serverSends, mptcp, dssChecksum, receiveBufferBytes }) => {
        const pair = makePair({
          seed,
          paths,
          client: { mptcp, dssChecksum, receiveBufferBytes },
          server: { receiveBufferBytes },
        });
        const conversation = converse(pair, clientSends, serverSends);
        pair.network.run(900_000_000, () => conversation.client.closed && conversation.server()?.closed === true);
        checkStreams(conversation, clientSends, serverSends);
        expect(conversation.client.connection.info().mptcp).to.equal(mptcp);
      }),
      { numRuns: 60, seed: 8684 },
    );
  });

  it("arrives intact when one of two paths dies and returns again and again", function () {
    this.timeout(120_000);
    fc.assert(
      fc.property(
        fc.nat(),
        fc.array(fc.integer({ min: 50_000, max: 3_000_000 }), { minLength: 1, maxLength: 8 }),
        (seed, times) => {
          const pair = makePair({ seed });
          const { network, links } = pair;
          const conversation = converse(pair, 100_000, 1_500_000);
          let at = network.now;
          times.forEach((time, i) => {
            at += time;
            network.at(at, () => {
              const link = links[i % 2 === 0 ? 0 : (seed >>> (i % 8)) & 1]!;
              link.up.blackhole = link.down.blackhole = i % 2 === 0;
              if (i % 2 === 1) for (const other of links) other.up.blackhole = other.down.blackhole = false;
            });
          });
          network.at(at + 1_000_000, () => {
            for (const link of links) link.up.blackhole = link.down.blackhole = false;
          });
          network.run(600_000_000, () => conversation.client.closed && conversation.server()?.closed === true);
          checkStreams(conversation, 100_000, 1_500_000);
        },
      ),
      { numRuns: 25, seed: 6298 },
    );
  });
});

import { expect } from "chai";
import fc from "fast-check";
import { mptcpOptionKind } from "../wire/mptcp-options.ts";
import { tcpFlag, type TcpSegment } from "../wire/tcp-segment.ts";
import { bound, onLink } from "./middlebox-row.ts";
import type { Middlebox, PipeOptions } from "./network.ts";
import { converse, makePair } from "./pair.ts";
import { seededRandom } from "./random.ts";
import { coalesceSegments, randomiseSequences, splitSegments } from "./segment-surgery.ts";
import { chain, stripMptcp, stripOptions } from "./wire-tap.ts";

/** How many paths are tried: MIDDLEBOX_SEEDS, by default what takes a few seconds. */
const seeds = Number(process.env["MIDDLEBOX_SEEDS"] ?? 300);

const tampering = fc.constantFrom(
  "strip-syn",
  "strip-all",
  "strip-some",
  "strip-subtype",
  "split-both",
  "split-first",
  "split-second",
  "coalesce-first",
  "coalesce-last",
);
type Tampering = typeof tampering extends fc.Arbitrary<infer T> ? T : never;

function boxFor(kind: Tampering, seed: number): Middlebox {
  const random = seededRandom(seed);
  const sometimes = (segment: TcpSegment): boolean => !segment.has(tcpFlag.syn) && random() % 10 === 0;
  switch (kind) {
    case "strip-syn":
      return stripMptcp((segment) => segment.has(tcpFlag.syn));
    case "strip-all":
      return stripMptcp(() => true);
    case "strip-some":
      return stripMptcp(sometimes);
    case "strip-subtype":
      return stripOptions(mptcpOptionKind, seed % 9, () => true);
    case "split-both":
      return splitSegments("both");
    case "split-first":
      return splitSegments("first");
    case "split-second":
      return splitSegments("second");
    case "coalesce-first":
      return coalesceSegments("first");
    case "coalesce-last":
      return coalesceSegments("last");
  }
}

const pipe: fc.Arbitrary<PipeOptions> = fc.record({
  rate: fc.constantFrom(2_000_000, 20_000_000),
  delay: fc.integer({ min: 500, max: 40_000 }),
  queueBytes: fc.constant(60_000),
  loss: fc.constantFrom(0, 0, 0.02),
  reorder: fc.constantFrom(0, 0, 0.1),
  reorderDelay: fc.constant(8_000),
});

const link = fc.record({
  pipe,
  shifts: fc.boolean(),
  up: fc.array(tampering, { maxLength: 2 }),
  down: fc.array(tampering, { maxLength: 2 }),
});

interface Scenario {
  seed: number;
  links: { pipe: PipeOptions; shifts: boolean; up: Tampering[]; down: Tampering[] }[];
  clientSends: number;
  serverSends: number;
  dssChecksum: boolean;
}

function run({ seed, links, clientSends, serverSends, dssChecksum }: Scenario): void {
  const pair = makePair({ seed, paths: links.map((each) => each.pipe), client: { dssChecksum } });
  links.forEach(({ shifts, up, down }, i) => {
    const shift = shifts ? randomiseSequences(seed * 7, seed * 13 + 5) : undefined;
    const boxes = (kinds: readonly Tampering[]): Middlebox[] => kinds.map((kind, j) => boxFor(kind, seed + j));
    onLink(
      pair,
      i,
      chain(...boxes(up), ...(shift === undefined ? [] : [shift.up])),
      chain(...(shift === undefined ? [] : [shift.down]), ...boxes(down)),
    );
  });
  const { client, server } = converse(pair, clientSends, serverSends);
  const ended = pair.network.run(2 * bound, () => client.closed && server()?.closed !== false);
  expect(ended, "an end in bounded time").to.equal(true);
  expect(client.corrupt || server()?.corrupt === true, "corrupt").to.equal(false);
  if (client.error === undefined) expect(client.received).to.equal(serverSends);
  if (server() !== undefined && server()!.error === undefined) expect(server()!.received).to.equal(clientSends);
}

describe("paths that strip options, renumber, cut and join segments", () => {
  it("leave the stream intact, or the application gets an error in bounded time", function () {
    this.timeout(20_000 + seeds * 200);
    const scenario = fc.record({
      seed: fc.nat(),
      links: fc.array(link, { minLength: 1, maxLength: 2 }),
      clientSends: fc.integer({ min: 0, max: 60_000 }),
      serverSends: fc.integer({ min: 0, max: 60_000 }),
      dssChecksum: fc.boolean(),
    });
    fc.assert(fc.property(scenario, run), { numRuns: seeds, seed: 8684 });
  });

  const slow: PipeOptions = { rate: 2_000_000, delay: 500, queueBytes: 60_000, loss: 0 };
  const slowAndReordering: PipeOptions = { ...slow, reorder: 0.1, reorderDelay: 8_000 };
  const common = { seed: 0, dssChecksum: false };
  const plain = { pipe: slow, shifts: false, up: [], down: [] };

  it("the first data cut, the option on the second half, while a join is under way", () => {
    const links = [{ pipe: slowAndReordering, shifts: false, up: ["split-second" as const], down: [] }, plain];
    run({ ...common, links, clientSends: 28_522, serverSends: 0 });
  });

  it("the first data cut in four, the option on the last", () => {
    const up = ["split-second" as const, "split-second" as const];
    const links = [{ pipe: slowAndReordering, shifts: false, up, down: [] }, plain];
    run({ ...common, links, clientSends: 15_669, serverSends: 8_398 });
  });
});

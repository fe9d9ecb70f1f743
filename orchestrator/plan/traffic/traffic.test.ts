import { expect } from "chai";
import * as fc from "fast-check";
import { RandomStream } from "../../path/random.ts";
import { derivedSeed } from "../derived-seed.ts";
import { allToAll } from "./all-to-all.ts";
import { drawSize } from "./flow.ts";
import { onOff } from "./on-off.ts";
import { oneToMany } from "./one-to-many.ts";
import { permutation } from "./permutation.ts";
import { poisson } from "./poisson.ts";
import { sparse } from "./sparse.ts";

const hostNames = fc
  .integer({ min: 2, max: 40 })
  .map((count) => Array.from({ length: count }, (_, index) => `h${index}`));
const streamOf =
  (seed: number) =>
  (host: string): RandomStream =>
    new RandomStream(derivedSeed(seed, host));

describe("a permutation", () => {
  it("has each host send to one other and receive once", () => {
    fc.assert(
      fc.property(hostNames, fc.nat(), (hosts, seed) => {
        const pairs = permutation(hosts, new RandomStream(seed));
        expect(pairs.map(({ from }) => from)).to.deep.equal(hosts);
        expect(pairs.map(({ to }) => to).toSorted()).to.deep.equal(hosts.toSorted());
        for (const { from, to } of pairs) expect(from).not.to.equal(to);
      }),
    );
  });

  it("is any of those that there are, equally often", () => {
    const seen = new Map<string, number>();
    for (let seed = 0; seed < 9_000; seed++) {
      const key = permutation(["a", "b", "c", "d"], new RandomStream(seed))
        .map(({ to }) => to)
        .join("");
      seen.set(key, (seen.get(key) ?? 0) + 1);
    }
    expect(seen.size).to.equal(9);
    for (const [key, times] of seen) expect(times, key).to.be.closeTo(1_000, 150);
  });
});

describe("other pairs", () => {
  it("one to many: to all others, or to some of them", () => {
    const hosts = ["a", "b", "c", "d"];
    const random = (): RandomStream => new RandomStream(1);
    expect(oneToMany("b", hosts, undefined, random()).map(({ to }) => to)).to.deep.equal(["a", "c", "d"]);
    const two = oneToMany("b", hosts, 2, random()).map(({ to }) => to);
    expect(new Set(two).size).to.equal(2);
    expect(two).not.to.include("b");
  });

  it("all to all: each ordered pair once", () => {
    fc.assert(
      fc.property(hostNames, (hosts) => {
        const pairs = allToAll(hosts).map(({ from, to }) => `${from} ${to}`);
        expect(new Set(pairs).size).to.equal(hosts.length * (hosts.length - 1));
      }),
    );
  });

  it("sparse: the share of hosts that is asked for, and nobody's choice hangs on how many others there are", () => {
    const hosts = Array.from({ length: 2_000 }, (_, index) => `h${index}`);
    const pairs = sparse(hosts, 0.3, streamOf(1));
    expect(pairs.length).to.be.within(520, 680);
    for (const { from, to } of pairs) expect(from).not.to.equal(to);
    const senders = new Set(pairs.map(({ from }) => from));
    for (const { from } of sparse(hosts.slice(0, 100), 0.3, streamOf(1))) expect(senders).to.include(from);
  });
});

describe("flows that come and go", () => {
  const hosts = Array.from({ length: 20 }, (_, index) => `h${index}`);

  it("come at the rate that is asked for, with sizes of the mean that is asked for", () => {
    const flows = poisson(
      {
        pattern: "poisson",
        flowsPerSecond: 500,
        sizes: { distribution: "exponential", meanBytes: 10_000 },
        startMicroseconds: 1e6,
        durationMicroseconds: 10e6,
      },
      hosts,
      streamOf(3),
    );
    expect(flows.length).to.be.closeTo(5_000, 5 * Math.sqrt(5_000));
    const bytes = flows.reduce((total, { sizeBytes }) => total + sizeBytes!, 0);
    expect(bytes / flows.length).to.be.closeTo(10_000, 800);
    for (const { from, to, startMicroseconds } of flows) {
      expect(from).not.to.equal(to);
      expect(startMicroseconds).to.be.within(1e6, 11e6);
    }
  });

  it("burst and are silent in turn, each host at times of its own", () => {
    const traffic = {
      pattern: "on-off",
      onMicroseconds: 100_000,
      offMicroseconds: 300_000,
      startMicroseconds: 0,
      durationMicroseconds: 100e6,
    } as const;
    const pairs = [
      { from: "h0", to: "h1" },
      { from: "h1", to: "h0" },
    ];
    const flows = onOff(traffic, pairs, streamOf(5));
    const ofFirst = flows.filter(({ from }) => from === "h0");
    const busy = ofFirst.reduce((total, { durationMicroseconds }) => total + durationMicroseconds!, 0);
    expect(busy / 100e6).to.be.closeTo(0.25, 0.05);
    ofFirst.slice(1).forEach(({ startMicroseconds }, index) => {
      const before = ofFirst[index]!;
      expect(startMicroseconds).to.be.at.least(before.startMicroseconds + before.durationMicroseconds! - 2);
    });
    expect(onOff(traffic, pairs.slice(0, 1), streamOf(5))).to.deep.equal(ofFirst);
  });

  it("have a mean of Pareto's too, and never less than one byte", () => {
    const random = new RandomStream(1);
    const sizes = Array.from({ length: 100_000 }, () =>
      drawSize({ distribution: "pareto", meanBytes: 10_000, shape: 2.5 }, random),
    );
    expect(sizes.reduce((total, size) => total + size, 0) / sizes.length).to.be.closeTo(10_000, 300);
    expect(drawSize({ distribution: "fixed", bytes: 7 }, random)).to.equal(7);
    expect(drawSize({ distribution: "exponential", meanBytes: 0.1 }, random)).to.be.at.least(1);
  });
});

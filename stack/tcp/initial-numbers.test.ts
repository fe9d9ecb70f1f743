import { expect } from "chai";
import { seededRandom } from "../testing/random.ts";
import { parseIpAddress } from "../wire/ip-address.ts";
import type { FourTuple } from "./four-tuple.ts";
import { InitialNumbers } from "./initial-numbers.ts";

const tuple: FourTuple = {
  localAddress: parseIpAddress("192.0.2.1")!,
  localPort: 40_000,
  remoteAddress: parseIpAddress("198.51.100.1")!,
  remotePort: 80,
};
const others: FourTuple[] = [
  { ...tuple, localAddress: parseIpAddress("192.0.2.2")! },
  { ...tuple, localPort: 40_001 },
  { ...tuple, remoteAddress: parseIpAddress("198.51.100.2")! },
  { ...tuple, remotePort: 81 },
];

describe("initial sequence numbers (RFC 6528 §3)", () => {
  const numbers = new InitialNumbers(seededRandom(1));

  it("rise by one every four microseconds between connections of the same name", () => {
    const first = numbers.sequence(tuple, 1_000_000);
    expect((numbers.sequence(tuple, 1_000_004) - first) >>> 0).to.equal(1);
    expect((numbers.sequence(tuple, 5_000_000) - first) >>> 0).to.equal(1_000_000);
    expect((numbers.sequence(tuple, 1_000_000 + 4 * 2 ** 32) - first) >>> 0).to.equal(0);
  });

  it("tell nothing of a connection of another address or port", () => {
    const all = [tuple, ...others].map((each) => numbers.sequence(each, 0));
    expect(new Set(all).size).to.equal(all.length);
    // Not by a fixed distance either: another host's secret spaces them otherwise.
    const elsewhere = new InitialNumbers(seededRandom(2));
    others.forEach((other, i) => {
      const distance = (elsewhere.sequence(other, 0) - elsewhere.sequence(tuple, 0)) >>> 0;
      expect(distance).not.to.equal((all[i + 1]! - all[0]!) >>> 0);
    });
  });

  it("are those of the host's secret, which is drawn at random", () => {
    const secrets = Array.from({ length: 20 }, (_, seed) => new InitialNumbers(seededRandom(seed)).sequence(tuple, 0));
    expect(new Set(secrets).size).to.equal(20);
  });
});

describe("timestamps (RFC 7323 §5.4)", () => {
  const numbers = new InitialNumbers(seededRandom(1));

  it("begin elsewhere for each pair of addresses and ports, and there again for the same", () => {
    const all = [tuple, ...others].map((each) => numbers.timestampOffset(each));
    expect(new Set(all).size).to.equal(all.length);
    expect(numbers.timestampOffset({ ...tuple })).to.equal(all[0]);
  });
});

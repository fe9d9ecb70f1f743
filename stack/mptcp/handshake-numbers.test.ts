/** Numbers that nobody else shall know or use: keys (RFC 8684 §3.1) and nonces (§3.2). */

import { expect } from "chai";
import { converse, makePair, wifi } from "../testing/pair.ts";
import { seededRandom } from "../testing/random.ts";
import { dropWhen } from "../testing/wire-tap.ts";
import { tcpFlag } from "../wire/tcp-segment.ts";

const second = 1_000_000;

/** A source of random numbers that gives what it is told to, then goes on by itself. */
function dictated(): { source: () => number; next: number[] } {
  const random = seededRandom(3);
  const next: number[] = [];
  return { source: () => next.shift() ?? random(), next };
}

describe("a key", () => {
  it("is 64 bits of the injected source of random numbers", () => {
    const { source, next } = dictated();
    const { client, network } = makePair({ client: { random: source } });
    next.push(0x0123_4567, 0x89ab_cdef);
    const connection = client.connect({ remoteAddress: "10.0.100.2", remotePort: 1 }, network.now);
    expect(connection.localKey!.key).to.deep.equal({ high: 0x0123_4567, low: 0x89ab_cdef });
  });

  it("whose token is in use is drawn again", () => {
    const { source, next } = dictated();
    const { client, network } = makePair({ client: { random: source } });
    const connect = () => client.connect({ remoteAddress: "10.0.100.2", remotePort: 1 }, network.now);
    next.push(7, 7);
    const first = connect();
    next.length = 0;
    next.push(7, 7, 8, 8);
    const second = connect();
    expect([first, second].map(({ localKey }) => localKey!.key)).to.deep.equal([
      { high: 7, low: 7 },
      { high: 8, low: 8 },
    ]);
    expect(client.holdings.tokens).to.equal(2);
  });
});

describe("the nonce of a join", () => {
  it("is another in each attempt, and the same when its SYN is sent again", () => {
    const pair = makePair({ paths: [wifi, wifi] });
    const nonces = new Map<number, Set<number>>();
    pair.links[1]!.up.middlebox = dropWhen((segment) => {
      if (!segment.has(tcpFlag.syn)) return false;
      const ofAttempt = nonces.get(segment.sourcePort) ?? new Set();
      nonces.set(segment.sourcePort, ofAttempt.add(segment.mptcp.joinNonce));
      return true;
    });
    converse(pair, 1_000, 1_000, { endsAfterSending: false });
    pair.network.run(200 * second);
    expect(nonces.size).to.be.greaterThan(2);
    expect([...nonces.values()].map(({ size }) => size)).to.deep.equal(Array(nonces.size).fill(1));
    expect(new Set([...nonces.values()].flatMap((values) => [...values])).size).to.equal(nonces.size);
  });
});

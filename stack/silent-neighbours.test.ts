import { expect } from "chai";
import { answerNeighbour } from "./testing/neighbour-answers.ts";
import { converse, type Family, makePair, type Pair, thirdGeneration, wifi } from "./testing/pair.ts";

const second = 1_000_000;

/** Until `end` nobody on the client's link of that index answers for an address. */
function silence(pair: Pair, link: number, end: number): void {
  pair.links[link]!.up.middlebox = (frame) =>
    pair.network.now >= end || answerNeighbour(Uint8Array.from(frame)) === undefined;
}

describe("a next hop for which nobody answers (RFC 4861 §7.2.2)", () => {
  for (const [family, remoteAddress] of [
    ["ipv4", "10.0.100.2"],
    ["ipv4", "10.0.1.77"],
    ["ipv6", "fd00:0:0:64::2"],
    ["ipv6", "fd00:0:0:1::77"],
  ] as const satisfies readonly [Family, string][]) {
    it(`ends an attempt to connect to ${remoteAddress} after three seconds with EHOSTUNREACH`, () => {
      const pair = makePair({ paths: [wifi], clientFamilies: [family], serverFamily: family });
      silence(pair, 0, Number.POSITIVE_INFINITY);
      const { client } = converse(pair, 1_000, 0, { remoteAddress });
      pair.network.run(2.9 * second);
      expect(client.closed).to.equal(false);
      pair.network.run(0.2 * second);
      expect([client.closed, client.error]).to.deep.equal([true, "EHOSTUNREACH"]);
      expect(pair.network.eventsNamed("tcp:soft-error")).to.have.length(1);
    });
  }

  it("that answers after two seconds is connected to", () => {
    const pair = makePair({ paths: [wifi] });
    silence(pair, 0, 2 * second);
    const { client } = converse(pair, 1_000, 0);
    pair.network.run(4 * second, () => client.established);
    expect(client.established).to.equal(true);
  });

  it("does not end a join, which comes about when somebody answers", () => {
    const pair = makePair({ paths: [wifi, thirdGeneration] });
    silence(pair, 1, 8 * second);
    const { client } = converse(pair, 30_000_000, 0, { endsAfterSending: false });
    pair.network.run(4 * second);
    expect(pair.network.eventsNamed("tcp:soft-error")).to.have.length(1);
    const isJoined = (): boolean => client.connection.subflows.filter(({ usable }) => usable).length === 2;
    pair.network.run(30 * second, isJoined);
    expect([isJoined(), client.error]).to.deep.equal([true, undefined]);
  });

  it("does not end what is established", () => {
    const pair = makePair({ paths: [wifi], client: { mptcp: false } });
    const { client } = converse(pair, 5_000_000, 0);
    pair.network.run(second);
    pair.client.setInterfaceUp(0, false, pair.network.now);
    pair.client.setInterfaceUp(0, true, pair.network.now);
    silence(pair, 0, 6 * second);
    pair.network.run(60 * second, () => client.closed);
    expect(pair.network.eventsNamed("tcp:soft-error")).to.have.length(1);
    expect(client.error).to.equal(undefined);
  });
});

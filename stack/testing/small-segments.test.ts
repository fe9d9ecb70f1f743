import { expect } from "chai";
import { segmentOf } from "./wire-tap.ts";
import { converse, makePair, type Pair } from "./pair.ts";

const second = 1_000_000;
const path = { rate: 8_000_000, delay: 20_000 };

/** Ten small writes, one a millisecond; the payload lengths on the wire. */
function smallWrites(mptcp: boolean, noDelay: boolean): { lengths: number[]; received: number; pair: Pair } {
  const pair = makePair({ paths: [path], client: { mptcp } });
  const lengths: number[] = [];
  const { client, server } = converse(pair, 0, 0, { endsAfterSending: false });
  pair.network.run(second);
  pair.links[0]!.up.middlebox = (frame) => {
    const length = segmentOf(frame)?.payloadLength ?? 0;
    if (length > 0) lengths.push(length);
    return true;
  };
  client.connection.noDelay = noDelay;
  for (let i = 1; i <= 10; i++) {
    pair.network.at(pair.network.now + i * 1_000, () => {
      client.toSend += 10;
      client.send();
    });
  }
  pair.network.run(second);
  return { lengths, received: server()!.received, pair };
}

for (const mptcp of [true, false]) {
  describe(`small writes over ${mptcp ? "MPTCP" : "plain TCP"} (RFC 9293 §3.7.4)`, () => {
    it("wait for the acknowledgement of the first (Nagle)", () => {
      const { lengths, received } = smallWrites(mptcp, false);
      expect([lengths, received]).to.deep.equal([[10, 90], 100]);
    });

    it("go out one by one without delay", () => {
      const { lengths, received } = smallWrites(mptcp, true);
      expect([lengths, received]).to.deep.equal([Array(10).fill(10), 100]);
    });
  });
}

describe("bursts of a full segment and a small one, on a path that loses nothing", () => {
  for (const mptcp of [true, false])
    it(`are not sent again: ${mptcp ? "MPTCP" : "plain TCP"}`, () => {
      const pair = makePair({ paths: [{ rate: 8_000_000, delay: 3_000 }], client: { mptcp } });
      const { client, server } = converse(pair, 0, 0, { endsAfterSending: false });
      pair.network.run(second);
      for (let i = 1; i <= 50; i++) {
        pair.network.at(pair.network.now + i * 100_000, () => {
          client.toSend += 1_875;
          client.send();
        });
      }
      pair.network.run(6 * second);
      const [subflow] = client.connection.info().subflows;
      expect([server()!.received, subflow!.retransmissions]).to.deep.equal([50 * 1_875, 0]);
    });
});

/** TCP_NOTSENT_LOWAT: what the application may write ahead of what is sent. */

import { expect } from "chai";
import { ConfigurationError } from "../host-options.ts";
import { checkStreams } from "./check-streams.ts";
import { converse, makePair, type PairOptions } from "./pair.ts";

const bytes = 3_000_000;

/** The most bytes that ever waited to be sent, and microseconds until the peer had all. */
function upload(options: PairOptions): { mostUnsent: number; duration: number } {
  const pair = makePair(options);
  const { network } = pair;
  const conversation = converse(pair, bytes, 0);
  const { dataSender, sendBuffer } = conversation.client.connection;
  let mostUnsent = 0;
  const isDone = (): boolean => conversation.server()?.received === bytes;
  while (!isDone() && network.now < 60_000_000) {
    network.run(1_000, isDone);
    mostUnsent = Math.max(mostUnsent, sendBuffer.end - dataSender.next);
  }
  const duration = network.now;
  network.run(60_000_000, () => conversation.client.closed);
  checkStreams(conversation, bytes, 0);
  return { mostUnsent, duration };
}

describe("a limit on what is not sent yet", () => {
  for (const [what, options] of [
    ["over two paths", {}],
    ["over two paths in super-packets", { gso: true }],
    ["as plain TCP", { server: { mptcp: false } }],
  ] as const)
    it(`holds the application's writes back, and costs no time, ${what}`, () => {
      const free = upload(options);
      const limited = upload({ ...options, client: { notSentLowatBytes: 20_000 } });
      expect(free.mostUnsent).to.be.above(1_000_000);
      expect(limited.mostUnsent).to.be.within(1, 20_000);
      expect(limited.duration).to.be.below(free.duration * 1.02);
    });

  it("is one that a buffer could have", () => {
    expect(() => makePair({ client: { notSentLowatBytes: 100 } })).to.throw(ConfigurationError, "notSentLowatBytes");
  });
});

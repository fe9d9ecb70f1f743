import { checkStreams } from "./check-streams.ts";
import { stripOptions } from "./wire-tap.ts";
import { converse, makePair } from "./pair.ts";

const second = 1_000_000;
const path = { rate: 20_000_000, delay: 10_000, loss: 0.02 };
const size = 3_000_000;
const timestampsKind = 8;

/** Data have SACK blocks beside them then, and the test network refuses what is longer than its MTU. */
describe("data in both directions over lossy paths", () => {
  for (const gso of [false, true])
    for (const mptcp of [false, true])
      for (const timestamps of [false, true])
        it(`are segments of the MTU at most: ${mptcp ? "MPTCP" : "TCP"} ${timestamps ? "with" : "without"} timestamps${gso ? ", with segmentation offload" : ""}`, () => {
          const pair = makePair({ paths: [path, path], gso, client: { mptcp } });
          if (!timestamps) for (const { up } of pair.links) up.middlebox = stripOptions(timestampsKind, -1, () => true);
          const conversation = converse(pair, size, size);
          pair.network.run(120 * second, () => conversation.client.closed && conversation.server()?.closed === true);
          checkStreams(conversation, size, size);
        });
});

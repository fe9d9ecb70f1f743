/** Nothing waits without a bound: whatever state a connection is in when the peer falls silent for good, the application hears of it, and nothing is kept. */

import { expect } from "chai";
import { bound } from "./middlebox-row.ts";
import { type Conversation, converse, makePair, type Pair, wifi } from "./pair.ts";

const second = 1_000_000;

interface Situation {
  name: string;
  /** Bytes that the client and the server send. */
  sends: [number, number];
  endsAfterSending?: boolean;
  /** What happens before the silence. */
  prepare?: (pair: Pair, conversation: Conversation) => void;
  runs: number;
}

const situations: Situation[] = [
  { name: "in mid-transfer", sends: [4_000_000, 0], runs: second },
  {
    name: "with a closed window",
    sends: [4_000_000, 0],
    prepare: (pair, { server }) => {
      pair.network.run(second / 10);
      server()!.paused = true;
    },
    runs: 10 * second,
  },
  {
    name: "after the end of one stream, in the middle of the other",
    sends: [4_000_000, 1_000],
    runs: second,
  },
  {
    name: "while the end of the stream is under way",
    sends: [1_000, 1_000],
    endsAfterSending: false,
    prepare: (pair, { client }) => {
      pair.network.run(second);
      for (const { up } of pair.links) up.blackhole = true;
      client.connection.closeWrite(pair.network.now);
    },
    runs: second / 10,
  },
  {
    name: "while MP_FASTCLOSE or RST is under way",
    sends: [1_000, 1_000],
    endsAfterSending: false,
    prepare: (pair, { client }) => {
      pair.network.run(second);
      for (const { up } of pair.links) up.blackhole = true;
      client.connection.abort(pair.network.now);
    },
    runs: second / 10,
  },
];

for (const mptcp of [true, false])
  for (const paths of mptcp ? [1, 2] : [1])
    describe(`a peer that is never heard again, ${mptcp ? `MPTCP over ${paths} path${paths === 1 ? "" : "s"}` : "TCP"}`, () => {
      for (const { name, sends, endsAfterSending = true, prepare, runs } of situations)
        it(name, () => {
          const pair = makePair({
            paths: Array.from({ length: paths }, () => wifi),
            client: { mptcp, fastClose: "acknowledgement" },
            server: { receiveBufferBytes: 200_000 },
          });
          const conversation = converse(pair, ...sends, { endsAfterSending });
          prepare?.(pair, conversation);
          pair.network.run(runs);
          for (const { up, down } of pair.links) up.blackhole = down.blackhole = true;
          const { client } = conversation;
          expect(pair.network.run(bound, () => client.closed)).to.equal(true);
          pair.network.run(bound);
          expect(pair.client.holdings).to.deep.equal({
            connections: 0,
            subflows: 0,
            tokens: 0,
            deadlines: 0,
            waitingFrames: 0,
          });
        });
    });

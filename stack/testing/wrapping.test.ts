import { expect } from "chai";
import { deriveKey } from "../mptcp/keys.ts";
import { tcpFlag } from "../wire/tcp-segment.ts";
import { checkStreams } from "./check-streams.ts";
import { converse, makePair } from "./pair.ts";
import { seededRandom } from "./random.ts";
import { segmentOf } from "./wire-tap.ts";

const second = 1_000_000;
const nearWrap = 2 ** 32 - 10_000;

/** A key whose data sequence numbers pass 2³² within `distance` bytes. */
function keyNearWrap(distance: number): { high: number; low: number } {
  for (let low = 0; ; low++) {
    if (deriveKey({ high: 1, low }).firstDataSequence.low > 2 ** 32 - distance) return { high: 1, low };
  }
}

/** First the given numbers, then any. The order is that in which a connection asks: key, port, nonce, initial sequence, timestamp offset. */
function numbers(...first: number[]): () => number {
  const rest = seededRandom(3);
  return () => first.shift() ?? rest();
}

describe("numbers that wrap", () => {
  it("within a transfer: subflow sequence, data sequence and timestamps, both ways, with loss", () => {
    const key = keyNearWrap(200_000);
    const timestampOffset = 2 ** 32 - 2_000;
    const client = numbers(key.high, key.low, 5, 6, nearWrap, timestampOffset);
    const server = numbers(key.high, key.low, 7, nearWrap, timestampOffset);
    const path = { rate: 10_000_000, delay: 10_000, queueBytes: 60_000, loss: 0.01 };
    const pair = makePair({ paths: [path], client: { random: client }, server: { random: server } });
    const synSequences: number[] = [];
    let wrappedData = 0;
    for (const pipe of [pair.links[0]!.up, pair.links[0]!.down]) {
      let highest = 0;
      pipe.middlebox = (frame) => {
        const segment = segmentOf(frame);
        if (segment === undefined) return true;
        if (segment.has(tcpFlag.syn)) synSequences.push(segment.sequence);
        if (segment.mptcp.hasMapping) {
          const low = segment.mptcp.dataSequenceLow;
          if (highest > 2 ** 31 && low < 2 ** 20) wrappedData++;
          highest = Math.max(highest, low);
        }
        return true;
      };
    }
    const conversation = converse(pair, 1_000_000, 1_000_000);
    pair.network.run(60 * second, () => conversation.client.closed && conversation.server()?.closed === true);
    checkStreams(conversation, 1_000_000, 1_000_000);
    expect(conversation.client.connection.info().mptcp).to.equal(true);
    expect(new Set(synSequences)).to.deep.equal(new Set([nearWrap]));
    expect(wrappedData).to.be.greaterThan(0);
  });
});

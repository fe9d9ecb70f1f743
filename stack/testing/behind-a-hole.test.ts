import { expect } from "chai";
import { converse, makePair } from "./pair.ts";
import { segmentOf } from "./wire-tap.ts";

const second = 1_000_000;
const size = 400_000;
const slowDelay = 400_000;

/** When the server has all, with the first segment of data on the slow path lost or not. */
function arrivalOfAll(loses: boolean): { time: number; sentAgain: number } {
  const pair = makePair({
    paths: [
      { rate: 8_000_000, delay: 10_000, queueBytes: 40_000 },
      { rate: 8_000_000, delay: slowDelay, queueBytes: 400_000 },
    ],
  });
  let lost = !loses;
  pair.links[1]!.up.middlebox = (frame) => lost || !(lost = (segmentOf(frame)?.payloadLength ?? 0) > 0);
  const { client, server } = converse(pair, 0, 0, { endsAfterSending: false });
  pair.network.run(3 * second);
  client.toSend = size;
  client.send();
  pair.network.run(60 * second, () => server()!.received === size);
  const { subflows } = client.connection.info();
  return { time: pair.network.now, sentAgain: subflows[0]!.reinjections };
}

describe("what a slow path has delivered behind a hole", () => {
  it("goes by the fast path when nothing else is left for it: the peer has no use for it before the hole is filled", () => {
    const [whole, holed] = [arrivalOfAll(false), arrivalOfAll(true)];
    // It takes one way of the slow path to know of the loss.
    expect(holed.time - whole.time).to.be.below(slowDelay + 50_000);
    expect(holed.sentAgain).to.be.above(whole.sentAgain);
  });
});

import { expect } from "chai";
import { converse, makePair } from "./pair.ts";

const second = 1_000_000;

/** Bytes that the server receives in ten seconds over four paths of 49 Mbit/s in all. */
function received(autotunesWindow: boolean): number {
  const pair = makePair({
    paths: [
      { rate: 20_000_000, delay: 100_000, queueBytes: 150_000 },
      { rate: 20_000_000, delay: 10_000, queueBytes: 500_000 },
      { rate: 1_000_000, delay: 1_000, queueBytes: 15_000 },
      { rate: 8_000_000, delay: 5_000, queueBytes: 100_000 },
    ],
    server: { autotune: autotunesWindow },
  });
  const { server } = converse(pair, 100_000_000, 0);
  pair.network.run(10 * second);
  return server()!.received;
}

describe("a receive window that begins small and grows", () => {
  it("lets each path find its rate: no subflow is punished for a window that is about to be larger", () => {
    expect(received(true)).to.be.above(0.7 * received(false));
  });
});

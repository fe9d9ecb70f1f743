import { expect } from "chai";
import { netemBlackholeLine, netemLines } from "./netem.ts";

describe("netem", () => {
  it("shapes WiFi of the NSDI'12 profile: 8 Mbit/s, 10 ms each way, 80 ms of buffer", () => {
    expect(
      netemLines("wifi1", {
        seed: 1,
        rateBitsPerSecond: 8_000_000,
        delayMicroseconds: 10_000,
        queue: { timeMicroseconds: 80_000 },
      }),
    ).to.deep.equal([
      "qdisc add dev wifi1 root handle 1: netem limit 100000 delay 10000us",
      "qdisc add dev wifi1 parent 1:1 handle 10: tbf rate 8000000bit burst 1600 limit 81600",
    ]);
  });

  it("holds the tightest of the queue's limits, and counts packets in a queue of its own", () => {
    const queue = { bytes: 30_000, packets: 20, timeMicroseconds: 80_000 };
    expect(netemLines("w", { seed: 1, rateBitsPerSecond: 8_000_000, queue }, "change").slice(1)).to.deep.equal([
      "qdisc change dev w parent 1:1 handle 10: tbf rate 8000000bit burst 1600 limit 31600",
      "qdisc change dev w parent 10:1 handle 20: pfifo limit 20",
    ]);
  });

  it("loses packets at random or in bursts", () => {
    expect(netemLines("w", { seed: 1, loss: { kind: "bernoulli", probability: 0.0025 } })).to.deep.equal([
      "qdisc add dev w root handle 1: netem limit 100000 loss random 0.25%",
    ]);
    const loss = { kind: "gilbert-elliott", pGoodToBad: 0.01, pBadToGood: 0.3, lossGood: 0, lossBad: 1 } as const;
    expect(netemLines("w", { seed: 1, loss })).to.deep.equal([
      "qdisc add dev w root handle 1: netem limit 100000 loss gemodel 1% 30% 100% 0%",
    ]);
  });

  it("jitters only where packets may overtake each other", () => {
    const jitter = { microseconds: 2000, distribution: "normal" } as const;
    expect(netemLines("w", { seed: 1, delayMicroseconds: 10_000, jitter: { ...jitter, reorder: true } })).to.deep.equal(
      ["qdisc add dev w root handle 1: netem limit 100000 delay 10000us 2000us distribution normal"],
    );
    expect(() => netemLines("w", { seed: 1, jitter: { ...jitter, reorder: false } })).to.throw(/needs the emulator/);
  });

  it("drops everything of a black hole", () => {
    expect(netemBlackholeLine("w")).to.equal("qdisc change dev w root handle 1: netem limit 100000 loss 100%");
  });
});

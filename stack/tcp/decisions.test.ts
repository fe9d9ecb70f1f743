import { expect } from "chai";
import { mss, SenderBench } from "./sender.fixture.ts";
import { timer } from "./timers.ts";

const rtt = 100_000;

/** Ten segments are under way for one round trip. */
function underWay(options: { sack: boolean; timestamps?: boolean; window?: number } = { sack: true }): SenderBench {
  const bench = new SenderBench(options);
  bench.sendAllowed();
  bench.now += rtt;
  return bench;
}

function numberOf(offset: number): number {
  return (offset - 1) / mss + 1;
}

describe("what is told of losses", () => {
  it("which range, by RACK, and that it was older than the latest delivery and the reordering window (RFC 8985 §6.2)", () => {
    const bench = underWay();
    bench.acknowledge(1, [[3, 5]]);
    const lost = bench.decisionsNamed("recovery:range-lost");
    expect(lost.map(({ start, cause }) => [numberOf(start), cause])).to.deep.equal([
      [1, "reordering-window"],
      [2, "reordering-window"],
    ]);
    for (const { ageMicroseconds, rackRttMicroseconds, reorderingWindowMicroseconds, section } of lost) {
      expect(ageMicroseconds).to.be.at.least(rackRttMicroseconds + reorderingWindowMicroseconds);
      expect([rackRttMicroseconds, section]).to.deep.equal([rtt, "RFC 8985 §6.2"]);
    }
  });

  it("that a timer waits for what may only be late: a quarter of the least round trip", () => {
    const bench = underWay();
    bench.acknowledge(1, [[2, 2]]);
    const [set] = bench.decisionsNamed("recovery:reordering-timer-set");
    expect(set).to.deep.include({ delayMicroseconds: rtt / 4, reorderingWindowMicroseconds: rtt / 4 });
    expect(set).to.deep.include({ lossIsLikely: false, sackedBytes: mss });
    expect(bench.timers.deadline(timer.reordering)).to.equal(bench.now + rtt / 4);
    expect(bench.decisionsNamed("recovery:range-lost")).to.deep.equal([]);
  });

  it("that the reordering window widens by a duplicate that the peer reports (step 4)", () => {
    const bench = underWay();
    bench.acknowledge(1, [[2, 4]]);
    bench.sendAllowed();
    bench.acknowledge(11);
    bench.acknowledge(11, [[1, 1]]);
    const [changed] = bench.decisionsNamed("recovery:reordering-window-changed");
    expect(changed).to.deep.include({ trigger: "duplicate-reported", multiplier: 2, persistence: 16 });
  });

  it("how the third duplicate and a partial acknowledgement told them, without SACK (RFC 6582 §3.2)", () => {
    const bench = underWay({ sack: false });
    for (let i = 0; i < 3; i++) bench.acknowledge(1);
    bench.sendAllowed();
    bench.now += rtt;
    bench.acknowledge(5);
    const lost = bench.decisionsNamed("recovery:range-lost");
    expect(lost.map(({ start, cause, duplicateAcknowledgements: n }) => [numberOf(start), cause, n])).to.deep.equal([
      [1, "duplicate-acknowledgements", 3],
      [5, "partial-acknowledgement", 0],
    ]);
    expect(bench.notes.map(({ section }) => section)).to.deep.equal(["RFC 6582 §3.2"]);
  });

  it("that new data went out with the first duplicates (RFC 3042)", () => {
    const bench = underWay({ sack: false });
    for (let i = 0; i < 2; i++) {
      bench.acknowledge(1);
      bench.sendAllowed();
    }
    const limited = bench.decisionsNamed("recovery:limited-transmit");
    expect(limited.map(({ start, deliveredBeyondBytes }) => [numberOf(start), deliveredBeyondBytes])).to.deep.equal([
      [11, mss],
      [12, 2 * mss],
    ]);
  });

  it("that larger segments than the path takes go out again, and why", () => {
    const bench = underWay();
    bench.sender.reduceSegmentSize(600, "icmp", bench.now);
    expect(new Set(bench.decisionsNamed("recovery:range-lost").map(({ cause }) => cause))).to.deep.equal(
      new Set(["path-mtu"]),
    );
    expect(bench.notes.at(-1)).to.deep.include({ trigger: "icmp", formerSegmentSize: mss, segmentSize: 600 });
  });
});

describe("what is told of recovery", () => {
  it("each step of the rate reduction, from whose sums its allowance follows (RFC 6937 §3.1)", () => {
    const bench = underWay({ sack: true, window: 20 });
    const sent: number[] = [];
    for (let last = 4; last <= 20; last++) {
      bench.acknowledge(1, [[2, last]]);
      sent.push(...bench.sendAllowed());
    }
    const [begun, ...others] = bench.decisionsNamed("recovery:rate-reduction-begun");
    expect([begun!.flightSize, begun!.slowStartThreshold, others.length]).to.deep.equal([20 * mss, 10 * mss, 0]);
    const steps = bench.decisionsNamed("recovery:rate-reduced");
    expect(steps.length).to.equal(17);
    for (const { bound, totalDeliveredBytes, totalSentBytes, slowStartThreshold, allowance } of steps.slice(1)) {
      if (bound === "slow-start") continue;
      const share = Math.ceil((totalDeliveredBytes * slowStartThreshold) / begun!.flightSize) - totalSentBytes;
      expect(allowance).to.equal(Math.max(0, share));
    }
    expect(steps.some(({ bound }) => bound === "proportional")).to.equal(true);
    expect(steps.at(-1)!.totalSentBytes + steps.at(-1)!.allowance).to.be.at.least(sent.length * mss);
  });

  it("both judgements of F-RTO, and that the timeout was spurious (RFC 5682 §3.1)", () => {
    const bench = new SenderBench({ sack: true });
    bench.sendAllowed();
    bench.timeout();
    bench.sendAllowed();
    bench.now += rtt;
    bench.acknowledge(2);
    bench.sendAllowed();
    bench.acknowledge(5);
    expect(bench.decisionsNamed("recovery:forward-rto-begun")[0]).to.deep.include({ outstandingBytes: 10 * mss });
    const judged = bench.decisionsNamed("recovery:forward-rto-judged");
    expect(judged.map(({ step, verdict, progress }) => [step, verdict, progress])).to.deep.equal([
      ["first-retransmitted", "sends-new-data", true],
      ["new-data", "spurious", true],
    ]);
    expect(bench.notes.at(-1)).to.deep.include({ name: "recovery:spurious", proof: "forward-rto", undone: true });
    const windows = bench.decisionsNamed("congestion:window-changed");
    expect(windows.map(({ cause }) => cause)).to.deep.equal(["timeout", "undone"]);
    expect(windows[1]!.congestionWindow).to.be.at.least(windows[0]!.formerWindow);
  });

  it("that F-RTO ends for lack of new data, or by a loss", () => {
    const verdicts = (happens: (bench: SenderBench) => void): string[] => {
      const bench = new SenderBench({ sack: true });
      bench.sendAllowed();
      bench.timeout();
      bench.sendAllowed();
      bench.now += rtt;
      bench.acknowledge(2);
      happens(bench);
      return bench.decisionsNamed("recovery:forward-rto-judged").map(({ verdict }) => verdict);
    };
    expect(verdicts((bench) => bench.sender.endForwardRtoWithoutNewData(bench.now))).to.deep.equal([
      "sends-new-data",
      "no-new-data",
    ]);
    const lossAfterNewData = verdicts((bench) => {
      bench.sendAllowed();
      bench.now += rtt;
      bench.acknowledge(2, [[11, 11]]);
    });
    expect(lossAfterNewData).to.deep.equal(["sends-new-data", "conventional"]);
  });

  it("which duplicates count, until they are as many as were sent again (RFC 3708 §2)", () => {
    const bench = underWay();
    bench.acknowledge(1, [[2, 4]]);
    bench.sendAllowed();
    bench.acknowledge(11);
    bench.acknowledge(11, [[7, 7]]);
    bench.acknowledge(11, [[1, 1]]);
    const reported = bench.decisionsNamed("recovery:duplicate-reported");
    const [, counted] = reported;
    expect(reported.length).to.equal(2);
    expect(counted!.duplicatedBytes).to.be.at.least(counted!.retransmittedBytes);
    expect(bench.notes.at(-1)).to.deep.include({ proof: "duplicates", section: "RFC 3708 §2" });
  });

  it("that the timestamp of an original proves it (RFC 3522 §3.2)", () => {
    const bench = underWay({ sack: true, timestamps: true });
    bench.acknowledge(1, [[2, 4]]);
    bench.sendAllowed();
    bench.now += 10_000;
    bench.acknowledge(5, [], 10_000);
    expect(bench.notes.at(-1)).to.deep.include({ proof: "timestamps", section: "RFC 3522 §3.2" });
  });

  it("what a tail loss probe found (RFC 8985 §7.4.2)", () => {
    const outcome = (answers: (bench: SenderBench) => void): unknown => {
      const bench = new SenderBench({ sack: true });
      bench.send(4);
      bench.now = bench.timers.deadline(timer.lossProbe);
      bench.sender.handleProbeTimeout(bench.now);
      const range = bench.sender.lastForProbe(mss)!;
      bench.sender.noteTransmission(range, bench.now);
      bench.sender.noteProbe(range, bench.now);
      bench.now += rtt;
      answers(bench);
      const [scheduled] = bench.decisionsNamed("recovery:probe-scheduled");
      expect(scheduled).to.deep.include({ verdict: "set", smoothedRttMicroseconds: rtt });
      const [sent] = bench.decisionsNamed("recovery:probe-sent");
      expect([numberOf(sent!.start), sent!.newData]).to.deep.equal([4, false]);
      return bench.decisionsNamed("recovery:probe-answered").map((answer) => answer.outcome);
    };
    const goesOn = (bench: SenderBench): void => {
      bench.send(1);
      bench.acknowledge(6);
    };
    expect(outcome((bench) => bench.acknowledge(5, [[4, 4]]))).to.deep.equal(["both-arrived"]);
    expect(
      outcome((bench) => {
        bench.acknowledge(5);
        goesOn(bench);
      }),
    ).to.deep.equal(["repaired-loss"]);
  });

  it("each back-off, and the round trip that cannot be told (RFC 6298 §3, §5)", () => {
    const bench = new SenderBench({ sack: true });
    bench.sendAllowed();
    for (let i = 0; i < 3; i++) {
      bench.timeout();
      bench.sendAllowed();
    }
    const backedOff = bench.decisionsNamed("recovery:timeout-backed-off");
    expect(backedOff.map(({ backoff, of }) => [backoff, of])).to.deep.equal([1, 2, 3].map((n) => [n, "data"]));
    for (const { timeoutMicroseconds, nextTimeoutMicroseconds } of backedOff)
      expect(nextTimeoutMicroseconds).to.equal(2 * timeoutMicroseconds);
    bench.now += rtt;
    bench.acknowledge(2);
    expect(bench.decisionsNamed("recovery:round-trip-ambiguous").map(({ acknowledged }) => acknowledged)).to.deep.equal(
      [1 + mss],
    );
  });
});

describe("what is told of the window", () => {
  for (const [cause, happens] of [
    ["loss", (bench) => bench.acknowledge(1, [[2, 4]])],
    ["congestion-mark", ({ sender, now }) => sender.handleCongestionMark(now)],
    ["penalised", ({ sender, now }) => sender.halveWindow(now)],
  ] as const satisfies readonly (readonly [string, (bench: SenderBench) => void])[]) {
    it(`that it is halved for ${cause}, once in a round trip`, () => {
      const bench = underWay();
      happens(bench);
      happens(bench);
      const changes = bench.decisionsNamed("congestion:window-changed");
      expect(changes.map((change) => [change.cause, change.formerWindow, change.congestionWindow])).to.deep.equal([
        [cause, 10 * mss, 5 * mss],
      ]);
    });
  }

  it("the pacing rate, when it changes by an eighth, and each burst that is held", () => {
    const bench = new SenderBench({ sack: true });
    const { pacer } = bench.sender;
    pacer.enabled = true;
    for (const window of [10, 10.5, 11, 12]) pacer.update(window * mss, Number.POSITIVE_INFINITY, rtt, bench.now);
    const told = bench.decisionsNamed("congestion:pacing-rate-changed");
    expect(told.map(({ congestionWindow, gain }) => [congestionWindow / mss, gain])).to.deep.equal([
      [10, 2],
      [12, 2],
    ]);
    expect(told[0]!.pacingRate).to.equal((2 * 10 * mss * 8 * 1e6) / rtt);
    pacer.nextAt = bench.now + 5_000;
    expect(pacer.pace(4 * mss, mss, bench.now)).to.equal(0);
    expect(bench.decisionsNamed("congestion:burst-held")).to.have.lengthOf(1);
    expect(bench.decisionsNamed("congestion:burst-held")[0]).to.deep.include({
      heldBytes: 4 * mss,
      delayMicroseconds: 5_000,
    });
  });
});

import { expect } from "chai";
import { mss, SenderBench } from "./sender.fixture.ts";
import { timer } from "./timers.ts";

const rtt = 100_000;

describe("limited transmit and fast retransmit without SACK (RFC 3042, RFC 5681 §3.2, RFC 6582)", () => {
  it("sends one new segment for each of the first two duplicates, and the lost one for the third", () => {
    const bench = new SenderBench({ sack: false });
    bench.sendAllowed();
    bench.now += rtt;
    const sent = [1, 2, 3].map(() => {
      bench.acknowledge(1);
      return bench.sendAllowed();
    });
    expect(sent).to.deep.equal([[11], [12], [1]]);
  });

  it("answers each partial acknowledgement with one retransmission (RFC 6582 §3.2 step 5)", () => {
    const bench = new SenderBench({ sack: false, window: 12 });
    bench.sendAllowed();
    bench.now += rtt;
    for (let i = 0; i < 3; i++) bench.acknowledge(1);
    bench.sendAllowed();
    bench.now += rtt;
    bench.acknowledge(5);
    expect(bench.sendAllowed()[0]).to.equal(5);
    expect(bench.events).to.deep.equal(["fast-retransmit"]);
  });
});

describe("recovery with SACK (RFC 6675, RFC 8985, RFC 6937)", () => {
  it("halves the window and sends in proportion to what arrives", () => {
    const bench = new SenderBench({ sack: true, window: 20 });
    bench.sendAllowed();
    bench.now += rtt;
    const sent: number[] = [];
    for (let last = 2; last <= 20; last++) {
      bench.acknowledge(1, [[2, last]]);
      sent.push(...bench.sendAllowed());
    }
    // Two before the loss is sure, by what SACK takes out of flight; then the lost one, and one for two.
    expect(sent.slice(0, 3)).to.deep.equal([21, 22, 1]);
    expect(sent.length).to.be.within(10, 13);
    expect(bench.sender.bytesInFlight / mss).to.be.within(9, 11);
  });

  it("takes everything as in flight again when the peer drops what it had acknowledged selectively (RFC 2018 §8)", () => {
    const bench = new SenderBench({ sack: true });
    bench.sendAllowed();
    bench.now += rtt;
    bench.acknowledge(1, [[2, 3]]);
    bench.sender.queue.head!.sacked = false;
    bench.acknowledge(2, [[2, 3]]);
    bench.timeout();
    expect(bench.sendAllowed()[0]).to.equal(2);
  });
});

describe("duplicates that the peer reports (RFC 2883)", () => {
  /** Segment 1 is late by more than three others; it was sent again. */
  function reordered(): SenderBench {
    const bench = new SenderBench({ sack: true });
    bench.sendAllowed();
    bench.now += rtt;
    bench.acknowledge(1, [[2, 4]]);
    bench.sendAllowed();
    bench.now += 10_000;
    bench.acknowledge(11);
    return bench;
  }

  it("undo the reduction when everything sent again came twice", () => {
    const bench = reordered();
    expect(bench.window).to.equal(5);
    bench.acknowledge(11, [[1, 1]]);
    expect([bench.events, bench.window >= 10]).to.deep.equal([["fast-retransmit", "spurious"], true]);
  });

  it("are counted, by bytes", () => {
    const bench = reordered();
    expect(bench.sender.rack.bytesReportedTwice).to.equal(0);
    bench.acknowledge(11, [[1, 1]]);
    expect([bench.sender.rack.bytesReportedTwice, bench.sender.rack.reorderings]).to.deep.equal([mss, 0]);
  });

  it("are not asked for where what arrives late was sent once: that is reordering, and counted as such", () => {
    const bench = new SenderBench({ sack: true });
    bench.send(6);
    bench.now += rtt;
    bench.acknowledge(1, [[2, 2]]);
    expect(bench.sender.rack.reorderings).to.equal(0);
    bench.acknowledge(3);
    bench.acknowledge(3, [[5, 5]]);
    bench.acknowledge(7);
    expect([bench.sender.rack.reorderings, bench.sender.rack.bytesReportedTwice]).to.deep.equal([3, 0]);
  });

  it("do not undo when they report something else", () => {
    const bench = new SenderBench({ sack: true });
    bench.sendAllowed();
    bench.now += rtt;
    bench.acknowledge(1, [
      [4, 4],
      [4, 6],
    ]);
    bench.sendAllowed();
    bench.acknowledge(1, [
      [5, 5],
      [4, 7],
    ]);
    expect(bench.events).to.deep.equal(["fast-retransmit"]);
  });

  it("widen the reordering window, for sixteen recoveries (RFC 8985 §6.2 step 4)", () => {
    const bench = reordered();
    bench.acknowledge(11, [[1, 1]]);
    // The same again: three segments above a hole are no loss now, until the wider window has passed.
    bench.sendAllowed();
    bench.now += rtt;
    bench.acknowledge(11, [[12, 14]]);
    expect(bench.events).to.deep.equal(["fast-retransmit", "spurious"]);
    expect(bench.timers.deadline(timer.reordering) - bench.now).to.be.within(rtt / 4, rtt);
  });
});

describe("timestamps (Eifel detection, RFC 3522)", () => {
  for (const [what, echo, verdict] of [
    ["an original", 10_000, ["fast-retransmit", "spurious"]],
    ["the retransmission", 10_100, ["fast-retransmit"]],
  ] as const) {
    it(`tell that ${what} caused the acknowledgement`, () => {
      const bench = new SenderBench({ sack: true, timestamps: true });
      bench.sendAllowed();
      bench.now += rtt;
      bench.acknowledge(1, [[2, 4]]);
      bench.sendAllowed();
      bench.now += 10_000;
      bench.acknowledge(5, [], echo);
      expect(bench.events).to.deep.equal([...verdict]);
    });
  }
});

describe("after a timeout (RFC 5682, F-RTO)", () => {
  function timedOut(): SenderBench {
    const bench = new SenderBench({ sack: true });
    bench.sendAllowed();
    bench.timeout();
    return bench;
  }

  it("only the first segment is sent again; new data follow its acknowledgement; if the others arrive, nothing was lost", () => {
    const bench = timedOut();
    expect(bench.sendAllowed()).to.deep.equal([1]);
    bench.now += rtt;
    bench.acknowledge(2);
    expect(bench.sendAllowed()).to.deep.equal([11, 12]);
    bench.acknowledge(5);
    expect([bench.events, bench.window >= 10, bench.sender.hasLost]).to.deep.equal([["rto", "spurious"], true, false]);
  });

  it("a duplicate after the new data proves the loss: slow start", () => {
    const bench = timedOut();
    bench.sendAllowed();
    bench.now += rtt;
    bench.acknowledge(2);
    expect(bench.sendAllowed()).to.deep.equal([11, 12]);
    bench.now += rtt;
    bench.acknowledge(2, [[11, 11]]);
    expect([bench.events, bench.sendAllowed()]).to.deep.equal([["rto"], [2]]);
  });

  it("without new data it goes on in slow start (step 2b)", () => {
    const bench = timedOut();
    bench.sendAllowed();
    bench.now += rtt;
    bench.acknowledge(2);
    bench.sender.endForwardRtoWithoutNewData(bench.now);
    expect(bench.sendAllowed()).to.deep.equal([2, 3]);
  });
});

describe("reductions of the window", () => {
  /** Twenty segments under way, of which the second is lost: what the window is after `before` and the discovery of the loss. */
  function windowAfterLoss(before: (bench: SenderBench) => void): number {
    const bench = new SenderBench({ sack: true, window: 20 });
    bench.sendAllowed();
    before(bench);
    bench.now += rtt;
    bench.acknowledge(2, [[3, 8]]);
    expect(bench.events).to.deep.equal(["fast-retransmit"]);
    return bench.window;
  }

  it("are one for what was under way: who was penalised has answered for it (RFC 6582 §3.2 step 1)", () => {
    expect(windowAfterLoss(() => {})).to.equal(10);
    expect(windowAfterLoss((bench) => bench.sender.halveWindow(bench.now))).to.equal(10);
    expect(windowAfterLoss((bench) => bench.sender.handleCongestionMark(bench.now))).to.equal(10);
  });

  it("are one a round trip, too, where others ask for them", () => {
    const bench = new SenderBench({ sack: true, window: 20 });
    bench.sendAllowed();
    bench.sender.halveWindow(bench.now);
    bench.sender.halveWindow(bench.now);
    expect(bench.window).to.equal(10);
    bench.now += rtt;
    bench.acknowledge(21);
    const grown = bench.window;
    bench.sender.halveWindow(bench.now);
    expect(bench.window).to.equal(grown / 2);
  });
});

describe("tail loss probes (RFC 8985 §7)", () => {
  function probed(): SenderBench {
    const bench = new SenderBench({ sack: true });
    bench.send(4);
    bench.now = bench.timers.deadline(timer.lossProbe);
    expect(bench.now - 10_000_000).to.be.within(2 * rtt, 2 * rtt + 2_000);
    bench.sender.handleProbeTimeout(bench.now);
    const range = bench.sender.lastForProbe(mss)!;
    bench.sender.noteTransmission(range, bench.now);
    bench.sender.noteProbe(range, bench.now);
    bench.now += rtt;
    return bench;
  }

  it("that repair a loss by themselves are a sign of congestion (§7.4.2)", () => {
    const bench = probed();
    bench.acknowledge(5);
    bench.send(1);
    bench.acknowledge(6);
    expect([bench.events, bench.window]).to.deep.equal([["fast-retransmit"], 2]);
  });

  it("that come twice are none", () => {
    const bench = probed();
    bench.acknowledge(5, [[4, 4]]);
    bench.send(1);
    bench.acknowledge(6);
    expect([bench.events, bench.window >= 10]).to.deep.equal([[], true]);
  });

  it("of new data are none", () => {
    const bench = new SenderBench({ sack: true });
    bench.send(4);
    bench.sender.handleProbeTimeout(bench.now);
    const range = bench.sender.append(mss);
    bench.sender.noteTransmission(range, bench.now);
    bench.sender.noteProbe(range, bench.now);
    bench.now += rtt;
    bench.acknowledge(6);
    bench.send(1);
    bench.acknowledge(7);
    expect(bench.events).to.deep.equal([]);
  });
});

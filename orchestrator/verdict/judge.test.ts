import { expect } from "chai";
import { payloadSha256 } from "../../stack/endpoint/workload/payload.ts";
import type { ReceiverResult, WorkloadResult } from "../../stack/endpoint/protocol.ts";
import type { LinksRecord } from "../bundle/records.ts";
import type { Expectation } from "../model/experiment.ts";
import type { PlannedStream, PlannedWorkload } from "../plan/plan.ts";
import type { WireAnalysis, WireConnection, WireStream, WireSubflow } from "./capture-analysis/wire-analysis.ts";
import { bulkWorkload, twoPathPlan } from "./fixture/two-path-plan.ts";
import { joinVerdicts, judge } from "./judge.ts";
import type { Evidence } from "./judge.ts";
import { printJUnit } from "./junit.ts";

const bytes = 1_000_000;
const receiver: ReceiverResult = {
  kind: "receiver",
  bytes,
  sha256: payloadSha256(bulkWorkload.payloadSeed, bytes),
  connectedAt: 20_000,
  firstByteAt: 40_000,
  lastByteAt: 1_020_000,
  longestGapMicroseconds: 30_000,
  longestGapAt: 500_000,
};
const stream: WireStream = {
  openedAt: 20_000,
  bytes,
  bytesBehindHole: 0,
  firstAt: 40_000,
  lastAt: 1_020_000,
  goodputBitsPerSecond: 8e6,
  longestGapMicroseconds: 30_000,
  longestGapAt: 500_000,
  progress: [],
};
const silent: WireStream = { bytes: 0, bytesBehindHole: 0, longestGapMicroseconds: 0, longestGapAt: 0, progress: [] };
const nothing = { payloadBytes: 0, retransmissions: 0, retransmittedBytes: 0, reinjectedBytes: 0, arrivals: [] };

function subflow(path: string, changes: Partial<WireSubflow> = {}): WireSubflow {
  return {
    id: `${path}-server`,
    path,
    initial: path === "wifi",
    openedBy: "client",
    established: true,
    backup: false,
    openedAt: 0,
    establishedAt: 20_000,
    toServer: nothing,
    toClient: { ...nothing, payloadBytes: bytes / 2 },
    ...changes,
  };
}

function wire(changes: Partial<WireConnection> = {}, lostFrames = 0): WireAnalysis {
  const connection: WireConnection = {
    workload: bulkWorkload.name,
    multipath: "negotiated",
    subflows: [subflow("wifi"), subflow("3g", { authenticated: true })],
    toServer: silent,
    toClient: stream,
    ...changes,
  };
  return {
    schemaVersion: 1,
    capture: { frames: 10, tcpFrames: 10, lostFrames },
    binMicroseconds: 50_000,
    connections: [connection],
  };
}

function evidence(
  expectation: Expectation,
  changes: Partial<Evidence> = {},
  client: WorkloadResult = receiver,
  workload: PlannedWorkload = bulkWorkload,
): Evidence {
  return {
    plan: twoPathPlan({ workloads: [workload], expectations: [{ workload: workload.name, expectation }] }),
    ended: "completed",
    endedAtMicroseconds: 2_000_000,
    results: { workloads: [{ workload: workload.name, client, errors: [] }] },
    links: { measurements: [] },
    counters: {},
    wire: wire(),
    ...changes,
  };
}

const only = (verdict: ReturnType<typeof judge>) => {
  expect(verdict.expectations).to.have.length(1);
  return verdict.expectations[0]!;
};

describe("the judge", () => {
  it("passes what the capture shows, and names its witness", () => {
    const verdict = judge(
      evidence({ goodput: { atLeastBitsPerSecond: 7.9e6 }, subflows: { exactly: 2 }, fallback: false, intact: true }),
    );
    expect(verdict.outcome).to.equal("passed");
    expect(
      verdict.expectations.map(({ metric, expected, measured, witness }) => [metric, expected, measured, witness]),
    ).to.deep.equal([
      ["goodput", "at least 7.9 Mbit/s", "8 Mbit/s", "capture"],
      ["subflows", "exactly 2", "2", "capture"],
      ["intact", "every byte once, in order, unchanged", "intact", "SHA-256 of the bytes"],
      ["fallback", "no fallback", "no fallback", "capture"],
    ]);
    expect(verdict.findings).to.deep.equal([]);
  });

  it("does not take an endpoint's word for itself", () => {
    const boast = { ...receiver, lastByteAt: 120_000 };
    const verdict = judge(evidence({ goodput: { atLeastBitsPerSecond: 20e6 } }, {}, boast));
    expect(only(verdict)).to.include({ passed: false, measuredValue: 8e6, witness: "capture" });
    expect(verdict.findings).to.deep.equal([
      "download: the application's goodput is 80 Mbit/s, the capture's 8 Mbit/s",
    ]);
  });

  it("takes an endpoint's word against itself", () => {
    const slow = { ...receiver, longestGapMicroseconds: 900_000 };
    const verdict = judge(evidence({ longestGap: { atMostMicroseconds: 500_000 } }, {}, slow));
    expect(only(verdict)).to.include({ passed: false, measured: "900 ms", witness: "application" });
  });

  it("counts the silence until the end of a run that never came to its end", () => {
    const cut = { ...stream, bytes: 400_000 };
    const verdict = judge(evidence({ longestGap: { atMostMicroseconds: 500_000 } }, { wire: wire({ toClient: cut }) }));
    expect(only(verdict)).to.include({ passed: false, measuredValue: 980_000 });
  });

  it("counts only subflows that are established, authentic and carried bytes", () => {
    const cases: Partial<WireSubflow>[] = [{ established: false }, { authenticated: false }, { toClient: nothing }];
    for (const change of cases) {
      const subflows = [subflow("wifi"), subflow("3g", change)];
      const verdict = judge(evidence({ subflows: { atLeast: 2 } }, { wire: wire({ subflows }) }));
      expect(only(verdict)).to.include({ passed: false, measuredValue: 1 });
      expect(verdict.findings).to.have.length(1);
    }
  });

  it("judges what part of the payload came over each path, of a path over which nothing came too", () => {
    const uneven = subflow("3g", { authenticated: true, toClient: { ...nothing, payloadBytes: bytes / 6 } });
    const again = subflow("wifi", { initial: false, toClient: { ...nothing, payloadBytes: bytes / 6 } });
    const share = { wifi: { atLeast: 0.7, atMost: 0.9 }, "3g": { atLeast: 0.25 }, lte: { atMost: 0.01 } };
    const verdict = judge(evidence({ share }, { wire: wire({ subflows: [subflow("wifi"), uneven, again] }) }));
    expect(
      verdict.expectations.map(({ metric, expected, measured, passed, witness }) => [
        metric,
        expected,
        measured,
        passed,
        witness,
      ]),
    ).to.deep.equal([
      ["share of wifi", "at least 70 %, at most 90 %", "80 %", true, "capture"],
      ["share of 3g", "at least 25 %", "20 %", false, "capture"],
      ["share of lte", "at most 1 %", "0 %", true, "capture"],
    ]);
    const unseen = judge(evidence({ share }, { wire: wire({ subflows: [subflow("wifi", { toClient: nothing })] }) }));
    expect(unseen.outcome).to.equal("invalid");
    expect(unseen.invalidBecause).to.include("download: nobody saw its share of wifi");
  });

  it("finds payload that came over two subflows", () => {
    const twice = subflow("3g", { authenticated: true, toClient: { ...nothing, payloadBytes: 750_000 } });
    const verdict = judge(evidence({ intact: true }, { wire: wire({ subflows: [subflow("wifi"), twice] }) }));
    expect(verdict.outcome).to.equal("passed");
    expect(verdict.findings).to.deep.equal([
      "download: 250 kB (25 %) of its payload arrived over a second subflow too",
    ]);
  });

  it("finds damage whatever the endpoint thinks of it", () => {
    const changed = { ...receiver, sha256: payloadSha256(bulkWorkload.payloadSeed + 1, bytes) };
    expect(only(judge(evidence({ intact: true }, {}, changed)))).to.include({
      passed: false,
      measured: "the bytes are not those that were sent",
    });
    const short = { ...receiver, bytes: bytes - 1 };
    expect(only(judge(evidence({ intact: true }, {}, short))).measured).to.equal("999999 of 1000000 bytes arrived");
  });

  it("calls a client that was to speak MPTCP and did not ask for it fallen back; one of plain TCP not", () => {
    const plain = { wire: wire({ multipath: "not-offered", subflows: [subflow("wifi")] }) };
    expect(only(judge(evidence({ fallback: false }, plain))).passed).to.equal(false);
    const tcp = evidence({ fallback: false }, plain);
    const plan = twoPathPlan({ expectations: tcp.plan.expectations }, "linux-tcp");
    expect(only(judge({ ...tcp, plan })).passed).to.equal(true);
  });

  it("does not call a connection that never came about fallen back, whatever was expected", () => {
    const unanswered = wire({ multipath: "fell-back", subflows: [subflow("wifi", { established: false })] });
    for (const fallback of [true, false])
      expect(only(judge(evidence({ fallback }, { wire: unanswered })))).to.include({
        passed: false,
        measured: "no connection",
        witness: "capture",
      });
  });

  it("plays a stream itself, from the bytes on the wire", () => {
    const video: PlannedStream = {
      ...bulkWorkload,
      kind: "stream",
      rateBitsPerSecond: 8e6,
      segmentMicroseconds: 100_000,
      playbackBufferMicroseconds: 200_000,
      durationMicroseconds: 1_000_000,
      from: "server",
      to: "phone",
    };
    const progress = Array.from({ length: 40 }, (_, bin) => (bin < 10 || bin >= 30 ? 50_000 : 0));
    const watched = {
      ...receiver,
      sha256: payloadSha256(video.payloadSeed, bytes),
      playback: { startedAt: 200_000, stalls: [] },
    };
    const verdict = judge(
      evidence({ stalls: { atMost: 0 } }, { wire: wire({ toClient: { ...stream, progress } }) }, watched, video),
    );
    expect(only(verdict)).to.include({ passed: false, measured: "1 stall", witness: "capture" });
    const barely = { ...stream, progress: [50_000], bytes: 50_000 };
    const never = judge(evidence({ stalls: { atMost: 0 } }, { wire: wire({ toClient: barely }) }, watched, video));
    expect(only(never)).to.include({ passed: false, measured: "it never began to play", witness: "capture" });
  });

  it("fails what nobody saw of a transfer that says itself why it came to nothing", () => {
    const { wire: seen, ...others } = evidence({
      goodput: { atLeastBitsPerSecond: 1e6 },
      completion: { atMostMicroseconds: 1e6 },
      subflows: { exactly: 2 },
      share: { wifi: { atLeast: 0.5 } },
      fallback: false,
      intact: true,
      latency: { p50: { atMostMicroseconds: 1e5 } },
    });
    const errors = [{ role: "client", code: "ECONNREFUSED", message: "connect ECONNREFUSED" }] as const;
    const workloads = [{ workload: bulkWorkload.name, errors }];
    const verdict = judge({ ...others, results: { workloads }, wire: { ...seen!, connections: [] } });
    expect([verdict.outcome, verdict.invalidBecause]).to.deep.equal(["failed", []]);
    for (const { metric, passed, measured, witness } of verdict.expectations.filter(
      ({ metric }) => metric !== "intact",
    ))
      expect([metric, passed, measured, witness]).to.deep.equal([
        metric,
        false,
        "nothing: client: ECONNREFUSED connect ECONNREFUSED",
        "application",
      ]);
  });

  it("judges latencies by a value that was measured", () => {
    const latenciesMicroseconds = Array.from({ length: 100 }, (_, index) => (index + 1) * 1000);
    const requester: WorkloadResult = {
      kind: "requester",
      requests: 100,
      responses: 100,
      sha256: "",
      latenciesMicroseconds,
      longestGapMicroseconds: 0,
      longestGapAt: 0,
      connectedAt: 0,
    };
    const limits = {
      p50: { atMostMicroseconds: 50_000 },
      p99: { atMostMicroseconds: 98_000 },
      deviation: { atLeastMicroseconds: 28_000, atMostMicroseconds: 28_500 },
    };
    const verdict = judge(evidence({ latency: limits }, {}, requester));
    expect(verdict.expectations.map(({ metric, measured, passed }) => [metric, measured, passed])).to.deep.equal([
      ["latency.p50", "50 ms", true],
      ["latency.p99", "99 ms", false],
      // Of n values in steps of one: the root of (n² − 1) / 12.
      ["latency.deviation", "28.9 ms", false],
    ]);
  });

  describe("says that nothing can be said", () => {
    const links: LinksRecord = {
      measurements: [
        {
          link: "wifi",
          direction: "forward",
          configured: { rateBitsPerSecond: 8e6, delayMicroseconds: 10_000, seed: 1 },
          measured: { rateBitsPerSecond: 7.5e6, delayMicroseconds: 10_100 },
          attempts: [],
          withinTolerance: false,
          tolerance: { rateShare: 0.02, delayMicroseconds: 500 },
        },
      ],
    };
    const cases: [string, Partial<Evidence>, string][] = [
      [
        "when a link is off",
        { links },
        "link wifi (forward) measured out of tolerance before the run: rate 7.5 Mbit/s of 8 Mbit/s, delay 10.1 ms of 10 ms (±2 % of rate, ±500 µs of delay)",
      ],
      ["when the capture lost frames", { wire: wire({}, 3) }, "the capture lost 3 frames"],
      ["when the run failed", { ended: "failed", error: "the disk is full" }, "the run failed: the disk is full"],
      ["when it was interrupted", { ended: "interrupted" }, "the run was interrupted"],
      [
        "when the deadline struck before anything began",
        { ended: "deadline", wire: { ...wire(), connections: [] } },
        "download: the deadline struck before anything of it was seen",
      ],
    ];
    for (const [title, changes, why] of cases) {
      it(title, () => {
        const verdict = judge(evidence({ intact: true }, changes));
        expect(verdict.outcome).to.equal("invalid");
        expect(verdict.invalidBecause).to.deep.equal([why]);
      });
    }

    it("of traffic of which the seed drew no flow", () => {
      const expectation: Expectation = { intact: true, meanGoodput: { atLeastBitsPerSecond: 1e6 } };
      const { plan, ...others } = evidence({});
      const verdict = judge({ ...others, plan: { ...plan, expectations: [{ workload: "shuffle", expectation }] } });
      expect(verdict.outcome).to.equal("invalid");
      expect(verdict.invalidBecause).to.deep.equal(["shuffle: the seed drew no flow of it"]);
      expect(verdict.expectations.map(({ metric, passed }) => [metric, passed])).to.deep.equal([
        ["meanGoodput", false],
        ["intact", false],
      ]);
    });

    it("when nobody saw what is asked for", () => {
      const { wire: _, ...unseen } = evidence({ subflows: { atLeast: 2 } });
      const verdict = judge({ ...unseen, plan: { ...unseen.plan, capture: { enabled: false, snapLength: 0 } } });
      expect(verdict.invalidBecause).to.deep.equal(["download: nobody saw its subflows"]);
    });
  });

  it("tells counters that ought to stand still", () => {
    const verdict = judge(
      evidence({ intact: true }, { counters: { server: { "MPTcpExt.Blackhole": 1, "MPTcpExt.MPJoinAckRx": 1 } } }),
    );
    expect(verdict.findings).to.have.length(1);
    expect(verdict.findings[0]).to.match(/^server: .*Blackhole rose by 1/);
  });

  it("is as good as the worst of an experiment and its baselines", () => {
    const passed = judge(evidence({ intact: true }));
    const failed = judge(evidence({ goodput: { atLeastBitsPerSecond: 1e9 } }));
    const invalid = judge(evidence({ intact: true }, { ended: "interrupted" }));
    expect(joinVerdicts(passed, { tcp: passed }).outcome).to.equal("passed");
    const joined = joinVerdicts(passed, { tcp: failed });
    expect(joined.outcome).to.equal("failed");
    expect(joined.expectations.map(({ baseline }) => baseline)).to.deep.equal([undefined, "tcp"]);
    expect(joinVerdicts(failed, { tcp: invalid })).to.include({ outcome: "invalid" });
  });
});

describe("junit.xml", () => {
  const identity = {
    experiment: 'wifi & "3g"',
    startedAt: "2026-01-02T03:04:05.000Z",
    durationMicroseconds: 2_500_000,
  };

  it("has a test case per expectation", () => {
    const xml = printJUnit(judge(evidence({ goodput: { atLeastBitsPerSecond: 1e9 }, intact: true })), identity);
    expect(xml).to.contain(
      '<testsuite name="wifi &amp; &quot;3g&quot;" tests="2" failures="1" errors="0" skipped="0" time="2.500"',
    );
    expect(xml).to.contain(
      '<failure type="goodput" message="goodput: expected at least 1 Gbit/s, measured 8 Mbit/s (witness: capture)"/>',
    );
  });

  it("calls an invalid run an error and fails nothing in it", () => {
    const xml = printJUnit(
      judge(evidence({ goodput: { atLeastBitsPerSecond: 1e9 } }, { ended: "interrupted" })),
      identity,
    );
    expect(xml).to.contain('tests="2" failures="0" errors="1" skipped="1"');
    expect(xml).to.contain('<error type="invalid" message="the run was interrupted"/>');
    expect(xml).not.to.contain("<failure");
  });
});

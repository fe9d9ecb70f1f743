import { expect } from "chai";
import { isTraceEvent, type TraceCategory, traceCategories, traceCategoryOf } from "./events.ts";
import { ConfigurationError, type HostOptions } from "./host-options.ts";
import { converse, makePair, type Pair } from "./testing/pair.ts";

const second = 1_000_000;

/** What hosts tell of a download over WiFi and 3G with losses, of which WiFi dies. */
function toldBy(trace: readonly TraceCategory[] | undefined, more: Partial<HostOptions> = {}): Pair {
  const host = trace === undefined ? more : { trace, ...more };
  const pair = makePair({ client: host, server: host, serverInterfaces: 2 });
  pair.links[0]!.down.options = { ...pair.links[0]!.down.options, loss: 0.01 };
  converse(pair, 1_000, 3_000_000, { endsAfterSending: false });
  pair.network.run(2 * second);
  for (const pipe of [pair.links[0]!.up, pair.links[0]!.down]) pipe.blackhole = true;
  pair.network.run(5 * second);
  for (const pipe of [pair.links[0]!.up, pair.links[0]!.down]) pipe.blackhole = false;
  pair.network.run(5 * second);
  return pair;
}

describe("the trace of decisions", () => {
  it("is off where nobody asked for it, and changes nothing where it is on", () => {
    const [off, on] = [toldBy(undefined), toldBy(traceCategories)];
    expect(off.network.events.some(isTraceEvent)).to.equal(false);
    const notable = on.network.events.filter((event) => !isTraceEvent(event));
    expect(notable).to.deep.equal(off.network.events);
    expect(on.network.events.length).to.be.greaterThan(3 * notable.length);
  });

  it("has one category at a time", () => {
    for (const category of traceCategories) {
      const { events } = toldBy([category], { autotune: true }).network;
      const told = events.flatMap((event) => (isTraceEvent(event) ? [traceCategoryOf[event.name]] : []));
      expect([...new Set(told)]).to.deep.equal(category === "fallback" ? [] : [category]);
    }
  });

  it("refuses a category that there is none", () => {
    expect(() => makePair({ client: { trace: ["pacing" as TraceCategory] } })).to.throw(ConfigurationError, /^trace: /);
  });

  it("tells of each decision of the scheduler what it saw: whoever is chosen had the room, and the lowest RTT of those who did", () => {
    const decisions = toldBy(["scheduler"]).network.eventsNamed("scheduler:decision");
    const chosen = decisions.filter(({ kind, subflow }) => kind === "new" && subflow >= 0);
    expect(chosen.length).to.be.greaterThan(100);
    for (const { subflow, candidates, reason, pendingBytes } of chosen) {
      expect(reason).to.equal("lowest-rtt-with-room");
      const own = candidates.find((candidate) => candidate.subflow === subflow)!;
      expect(own.usable && own.space > 0 && pendingBytes > 0).to.equal(true);
      const anyFresh = candidates.some(({ usable, stale }) => usable && !stale);
      for (const other of candidates)
        if (other.usable && other.space > 0 && !(other.stale && anyFresh))
          expect(own.smoothedRttMicroseconds).to.be.at.most(other.smoothedRttMicroseconds);
    }
    expect(decisions.some(({ kind }) => kind === "reinjection")).to.equal(true);
    const waits = decisions.filter(({ subflow }) => subflow === -1).map(({ reason }) => reason);
    expect(new Set(waits)).to.deep.equal(new Set(["windows-are-full", "pacer-of-faster-one"]));
  });

  it("has a reason from every scheduler", () => {
    for (const scheduler of ["round-robin", "redundant", "blest", "ecf"] as const) {
      const decisions = toldBy(["scheduler"], { scheduler }).network.eventsNamed("scheduler:decision");
      expect(decisions.length).to.be.greaterThan(100);
      expect(decisions.every(({ reason }) => /^[a-z]+(-[a-z]+)+$|^fastest$/.test(reason ?? ""))).to.equal(true);
    }
  });

  it("tells what became of each wish of the path manager", () => {
    const limited = toldBy(["path-manager"], { maximumSubflows: 2 });
    const decisions = limited.network
      .eventsNamed("path-manager:decision", limited.client)
      .map(({ decision, subflows, maximumSubflows }) => [decision, subflows, maximumSubflows]);
    expect(decisions.slice(0, 3)).to.deep.equal([
      ["opened", 1, 3],
      ["opened", 2, 3],
      ["limit", 3, 3],
    ]);
  });

  it("tells which addresses of the peer are not used: by flag C, and beyond the limit", () => {
    const trace = ["path-manager"] as const;
    const pair = makePair({
      client: { trace, maximumAddressesAccepted: 1 },
      server: { allowJoinInitialAddress: false },
      serverInterfaces: 3,
    });
    converse(pair, 1_000, 1_000, { endsAfterSending: false });
    pair.network.run(second);
    const ignored = pair.network
      .eventsNamed("path-manager:address-ignored")
      .map(({ address, reason }) => `${address} ${reason}`);
    expect([...new Set(ignored)]).to.deep.equal(["10.0.100.2 flag-c", "10.0.102.2 limit"]);
  });

  it("tells when recovery begins and ends, by what, and that nothing was changed without being told", () => {
    const pair = toldBy(["recovery"]);
    const changes = pair.network.eventsNamed("recovery:state-changed", pair.server);
    for (const id of new Set(changes.map(({ subflow }) => subflow))) {
      let state = "open";
      for (const { from, to } of changes.filter(({ subflow }) => subflow === id)) {
        expect(from).to.equal(state);
        state = to;
      }
    }
    const kinds = new Set(changes.map(({ to, trigger }) => `${to} ${trigger}`));
    expect(kinds).to.include("recovery acknowledgement");
    expect(kinds).to.include("loss retransmission-timeout");
    expect(kinds).to.include("open all-acknowledged");
  });

  it("tells windows and round trips with each measurement", () => {
    const pair = toldBy(["congestion"]);
    const updates = pair.network.eventsNamed("recovery:metrics-updated", pair.server);
    expect(updates.length).to.be.greaterThan(100);
    for (const { minimumRttMicroseconds, latestRttMicroseconds, congestionWindow, congestionControl } of updates) {
      expect(minimumRttMicroseconds).to.be.at.most(latestRttMicroseconds);
      expect(congestionWindow).to.be.greaterThan(0);
      expect(congestionControl).to.equal("lia");
    }
  });
});

import { expect } from "chai";
import { traceCategories } from "../events.ts";
import { converse, makePair, type Pair, type PairOptions, thirdGeneration, wifi } from "../testing/pair.ts";
import { dropWhen, rewritePayload } from "../testing/wire-tap.ts";
import { mptcpPresent, resetReason } from "../wire/mptcp-options.ts";

const second = 1_000_000;

function tracedPair(options: PairOptions): Pair {
  const trace = traceCategories;
  return makePair({ ...options, client: { trace, ...options.client }, server: { trace, ...options.server } });
}

describe("what is told of the data level", () => {
  it("how the receive window follows what is read in a round trip, and that it never goes beyond the buffer (NSDI'12 §4.2)", () => {
    const pair = tracedPair({ paths: [wifi], client: { autotune: true, receiveBufferBytes: 400_000 } });
    converse(pair, 1_000, 1_500_000);
    pair.network.run(3 * second);
    const tuned = pair.network.eventsNamed("flow-control:receive-window-tuned", pair.client);
    expect(tuned.length).to.be.greaterThan(5);
    let limit = tuned[0]!.formerLimit;
    for (const event of tuned) {
      expect(event.formerLimit).to.equal(limit);
      expect(event.sustainedBytes).to.be.at.most(event.readBytes);
      expect(event.elapsedMicroseconds).to.be.at.least(event.rttMicroseconds);
      limit = event.limit;
      expect(limit).to.be.within(event.formerLimit, event.maximum);
    }
    expect(limit).to.be.greaterThan(tuned[0]!.formerLimit);
    expect(limit).to.be.at.least(Math.min(400_000, 2 * Math.max(...tuned.map(({ sustainedBytes }) => sustainedBytes))));
  });

  it("each probe of a window that stays closed, with its back-off, and the update when it opens (RFC 9293 §3.8.6)", () => {
    const pair = tracedPair({ paths: [wifi], client: { receiveBufferBytes: 100_000 } });
    const { client } = converse(pair, 1_000, 1_000_000);
    client.paused = true;
    pair.network.run(8 * second);
    const probes = pair.network.eventsNamed("flow-control:window-probed", pair.server);
    expect(probes.length).to.be.at.least(3);
    const timeouts = probes.map(({ timeoutMicroseconds }) => timeoutMicroseconds);
    for (const [i, timeout] of timeouts.slice(1).entries()) expect(timeout).to.equal(2 * timeouts[i]!);
    for (const { pendingBytes } of probes) expect(pendingBytes).to.be.within(1, 1_000_000);
    client.paused = false;
    client.read();
    pair.network.run(second);
    const [update] = pair.network.eventsNamed("flow-control:window-update-due", pair.client);
    expect([update!.knownBytes, update!.addedBytes > 50_000, update!.limit]).to.deep.equal([0, true, 100_000]);
  });

  it("which slower subflow's data an idle one sends again, and why (NSDI'12 §4.2)", () => {
    const pair = tracedPair({ client: { receiveBufferBytes: 60_000 } });
    for (const { down } of pair.links) down.options = { ...down.options, loss: 0.01 };
    converse(pair, 1_000, 2_000_000);
    pair.network.run(15 * second);
    const again = pair.network
      .eventsNamed("scheduler:decision", pair.server)
      .filter(({ kind }) => kind === "opportunistic");
    expect(again.length).to.be.greaterThan(0);
    for (const { subflow, candidates, reason, section } of again) {
      expect([section, ["unblocks-head", "overtakes"].includes(reason!)]).to.deep.equal(["NSDI'12 §4.2", true]);
      const chosen = candidates.find((candidate) => candidate.subflow === subflow)!;
      expect(chosen.space).to.be.greaterThan(0);
    }
    const penalised = pair.network
      .eventsNamed("congestion:window-changed", pair.server)
      .filter(({ cause }) => cause === "penalised");
    expect(penalised.length).to.equal(pair.network.eventsNamed("scheduler:penalise", pair.server).length);
    for (const { formerWindow, congestionWindow } of penalised) expect(congestionWindow).to.be.below(formerWindow);
  });
});

describe("what is told of subflows and addresses", () => {
  /** Of the address that the server advertises. */
  function advertisement(answered: boolean): (string | number)[][] {
    const pair = tracedPair({ paths: [wifi], serverInterfaces: 2 });
    if (!answered) pair.links[0]!.up.middlebox = dropWhen(({ mptcp }) => mptcp.has(mptcpPresent.addAddress));
    converse(pair, 1_000, 1_000, { endsAfterSending: false });
    pair.network.run(120 * second);
    const sent = pair.network.eventsNamed("path-manager:advertisement-sent", pair.server);
    const ended = pair.network.eventsNamed("path-manager:advertisement-ended", pair.server);
    return [
      ...sent.map(({ attempt, delayMicroseconds }) => [attempt, delayMicroseconds]),
      ...ended.map(({ outcome, attempts }) => [outcome, attempts]),
    ];
  }

  it("that an address was echoed at once, or never: then each time that it was told, and the end (RFC 8684 §3.4.1)", () => {
    expect(advertisement(true)).to.deep.equal([
      [1, 500_000],
      ["echoed", 1],
    ]);
    expect(advertisement(false)).to.deep.equal([
      ...[0, 1, 2, 3, 4, 5].map((i) => [i + 1, 500_000 * 2 ** i]),
      ["unanswered", 6],
    ]);
  });

  it("which joins are refused, for what, and how many there are (RFC 8684 §3.6)", () => {
    const pair = tracedPair({ paths: [wifi, wifi, wifi], server: { maximumSubflows: 1 } });
    converse(pair, 1_000, 1_000, { endsAfterSending: false });
    pair.network.run(second);
    const [refused] = pair.network.eventsNamed("path-manager:join-refused", pair.server);
    expect(refused).to.deep.include({ reasonCode: resetReason.lackOfResources, subflows: 2, maximumSubflows: 2 });
  });

  it("that a silent subflow leaves the coupling at its second timeout, and comes back into it (RFC 6356 §3)", () => {
    const pair = tracedPair({ paths: [wifi, thirdGeneration] });
    converse(pair, 1_000, 3_000_000, { endsAfterSending: false });
    pair.network.run(second);
    const { up, down } = pair.links[0]!;
    up.blackhole = down.blackhole = true;
    pair.network.run(3 * second);
    up.blackhole = down.blackhole = false;
    pair.network.run(5 * second);
    const changes = pair.network
      .eventsNamed("congestion:coupling-changed", pair.server)
      .map(({ subflow, coupled, reason }) => [subflow, coupled, reason]);
    expect(changes).to.deep.equal([
      [0, false, "timed-out-again"],
      [0, true, "heard-again"],
    ]);
    const outage = pair.network
      .eventsNamed("congestion:window-changed", pair.server)
      .filter(({ cause }) => cause === "outage");
    expect(outage.map(({ subflow }) => subflow)).to.deep.equal([0]);
  });
});

describe("what is told of wrong checksums (RFC 8684 §3.7)", () => {
  function rewritten(paths: PairOptions["paths"]): Pair {
    const pair = tracedPair({ paths: paths!, client: { dssChecksum: true } });
    pair.links.at(-1)!.down.middlebox = rewritePayload(() => true);
    converse(pair, 1_000, 300_000);
    pair.network.run(10 * second);
    return pair;
  }

  it("on the only subflow: what failed, that both sides say so, and that both fall back", () => {
    const { network, client, server } = rewritten([wifi]);
    const [failed] = network.eventsNamed("mptcp:checksum-failed", client);
    expect(failed).to.deep.include({ subflow: 0, dataOffset: 0 });
    const fails = (host: typeof client): unknown[] =>
      network.eventsNamed("mptcp:fail", host).map(({ initiator, dataOffset }) => [initiator, dataOffset]);
    expect(fails(client)).to.deep.equal([["local", 0]]);
    // What it answers goes to a peer that is plain TCP by then.
    expect(fails(server)[0]).to.deep.equal(["remote", 0]);
    for (const host of [client, server])
      expect(network.eventsNamed("mptcp:fallback", host).map(({ reason }) => reason)).to.deep.equal([
        "checksum-failed",
      ]);
  });

  it("on one of two: that it is reset, and why there is no fallback", () => {
    const { network, client } = rewritten([wifi, wifi]);
    const [sent] = network.eventsNamed("mptcp:reset-sent", client);
    expect(sent).to.deep.include({ subflow: 1, reasonCode: resetReason.middleboxInterference });
    const [considered] = network.eventsNamed("mptcp:fallback-considered", client);
    expect(considered).to.deep.include({ allowed: false, isOnly: false, hasBeenAlone: false });
    expect(network.eventsNamed("mptcp:fallback", client)).to.deep.equal([]);
  });
});

describe("what is told of a connection that is plain TCP from its beginning", () => {
  it("why, at both ends (RFC 8684 §3.7)", () => {
    const pair = tracedPair({ paths: [wifi], client: { mptcp: false } });
    converse(pair, 1_000, 1_000);
    pair.network.run(second);
    const reasons = pair.network
      .eventsNamed("connection:established")
      .map(({ host, mptcp, fallbackReason }) => [host, mptcp, fallbackReason]);
    expect(reasons).to.have.deep.members([
      ["client", false, "disabled"],
      ["server", false, "peer-without-mptcp"],
    ]);
  });
});

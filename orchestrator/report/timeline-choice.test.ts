import { expect } from "chai";
import type { TimelineEvent } from "../metrics/timeline-event.ts";
import { chooseEvents } from "./timeline-choice.ts";

function told(name: string, time: number, source: TimelineEvent["source"] = "endpoint"): TimelineEvent {
  return { time, source, subject: "phone", name, message: name };
}

/** A run with a loss every 10 ms, a timeout a second, three subflows, and a fault. */
const events = [
  ...Array.from({ length: 10_000 }, (_, i) => told("recovery:fast-retransmit", i * 10_000)),
  ...Array.from({ length: 100 }, (_, i) => told("recovery:rto", i * 1_000_000 + 1)),
  ...[0, 1, 2].map((i) => told("mptcp:subflow-closed", i * 30_000_000 + 2)),
  told("fault:blackhole", 50_000_000, "fault"),
].toSorted((one, other) => one.time - other.time);

describe("events of a long run on a page", () => {
  it("are all there while they have room", () => {
    expect(chooseEvents(events.slice(0, 500))).to.deep.equal({ shown: events.slice(0, 500), thinned: [] });
  });

  it("are thinned where they are many, over the whole time; the rare ones are whole, in their order", () => {
    const { shown, thinned } = chooseEvents(events);
    expect(shown).to.have.lengthOf(2_000);
    expect(thinned).to.deep.equal(["recovery:fast-retransmit"]);
    const count = (name: string): number => shown.filter((event) => event.name === name).length;
    expect([count("recovery:rto"), count("mptcp:subflow-closed"), count("fault:blackhole")]).to.deep.equal([100, 3, 1]);
    expect(shown.map(({ time }) => time)).to.deep.equal(shown.map(({ time }) => time).toSorted((a, b) => a - b));
    const losses = shown.filter(({ name }) => name === "recovery:fast-retransmit").map(({ time }) => time);
    expect([losses[0], losses.at(-1)]).to.deep.equal([0, 99_990_000]);
    expect(Math.max(...losses.slice(1).map((time, i) => time - losses[i]!))).to.be.at.most(60_000);
  });

  it("never lose what is not of an endpoint", () => {
    const faults = Array.from({ length: 30 }, (_, i) => told("fault:set", i, "fault"));
    const { shown } = chooseEvents([...faults, ...events], 20);
    expect(shown.filter(({ source }) => source === "fault")).to.have.lengthOf(31);
  });
});

import { readFileSync } from "node:fs";
import { join } from "node:path";
import { Ajv } from "ajv";
import { expect } from "chai";
import { isTraceEvent, type StackEvent, traceCategories } from "./events.ts";
import type { HostOptions } from "./host-options.ts";
import { qlogEvent, qlogHeader, recordSeparator } from "./qlog.ts";
import { converse, makePair, wifi } from "./testing/pair.ts";
import { stripMptcp } from "./testing/wire-tap.ts";
import { tcpFlag } from "./wire/tcp-segment.ts";

const second = 1_000_000;
const repository = join(import.meta.dirname, "..");
const page = readFileSync(join(repository, "docs/events.md"), "utf8");
const published = JSON.parse(readFileSync(join(repository, "schemas/qlog.schema.json"), "utf8")) as object;
const isRecord = new Ajv({ strict: false }).compile(published);

/** What is told in runs in which something of each kind happens. */
function everythingTold(): StackEvent[] {
  const told: StackEvent[] = [];
  const run = (client: Partial<HostOptions>, happens: (pair: ReturnType<typeof makePair>) => void): void => {
    const trace = traceCategories;
    const pair = makePair({ client: { trace, ...client }, server: { trace }, serverInterfaces: 2 });
    pair.links[0]!.down.options = { ...wifi, loss: 0.01 };
    happens(pair);
    for (const { host: _, ...event } of pair.network.events) told.push(event);
  };
  run({}, (pair) => {
    const { client, network } = pair;
    const conversation = converse(pair, 1_000, 4_000_000);
    network.run(second);
    for (const pipe of [pair.links[0]!.up, pair.links[0]!.down]) pipe.blackhole = true;
    network.run(4 * second);
    for (const pipe of [pair.links[0]!.up, pair.links[0]!.down]) pipe.blackhole = false;
    network.run(2 * second);
    client.setInterfaceUp(1, false, network.now);
    network.run(second);
    client.setInterfaceUp(1, true, network.now);
    network.run(100 * second, () => conversation.client.closed);
  });
  run({ pathManager: "backup" }, (pair) => {
    const { client, network } = pair;
    const { connection } = converse(pair, 1_000, 1_000_000, { endsAfterSending: false }).client;
    network.run(3 * second);
    client.setInterfaceUp(0, false, network.now);
    network.run(second);
    connection.abort(network.now);
    network.run(second);
  });
  run({}, (pair) => {
    pair.links[0]!.up.middlebox = stripMptcp((segment) => !segment.has(tcpFlag.syn));
    converse(pair, 1_000, 100_000);
    pair.network.run(5 * second);
  });
  return told;
}

describe("qlog", () => {
  const told = everythingTold();
  const records = told.map((event) => JSON.parse(JSON.stringify(qlogEvent(event))) as { name: string; data: object });

  it("has records as the published schema of the main schema's shape says", () => {
    const header = JSON.parse(JSON.stringify(qlogHeader({ title: "a run", host: "phone", role: "client" }))) as object;
    for (const record of [header, ...records]) expect(isRecord(record), JSON.stringify(isRecord.errors)).to.equal(true);
    for (const wrong of [
      {},
      { name: "mptcp:fallback" },
      { time: 1, name: "fallback", data: {} },
      { ...header, trace: {} },
    ])
      expect(isRecord(wrong)).to.equal(false);
    expect(recordSeparator.charCodeAt(0)).to.equal(0x1e);
  });

  it("gives times in milliseconds, and leaves out what is infinite", () => {
    const base = { time: 1_500, connection: 1, subflow: 2, section: "RFC 6298 §2" };
    const event: StackEvent = {
      ...base,
      name: "recovery:metrics-updated",
      congestionControl: "lia",
      congestionWindow: 14_280,
      slowStartThreshold: Number.POSITIVE_INFINITY,
      bytesInFlight: 1_428,
      latestRttMicroseconds: 20_500,
      smoothedRttMicroseconds: 20_250,
      minimumRttMicroseconds: 20_000,
      rttVariationMicroseconds: 125,
      timeoutMicroseconds: 200_000,
      pacingRate: undefined,
    };
    expect(qlogEvent(event)).to.deep.equal({
      time: 1.5,
      name: "recovery:metrics_updated",
      group_id: "1",
      tuple: "2",
      data: {
        subflow: 2,
        section: "RFC 6298 §2",
        congestion_control: "lia",
        congestion_window: 14_280,
        bytes_in_flight: 1_428,
        latest_rtt: 20.5,
        smoothed_rtt: 20.25,
        min_rtt: 20,
        rtt_variance: 0.125,
        timeout: 200,
      },
    });
  });

  it("is described, event by event and field by field, in docs/events.md", () => {
    const rows = new Map(
      [...page.matchAll(/^\| `([a-z_]+:[a-z_]+)` \|([^|]*)\|/gm)].map(([, name, row]) => [name!, row!]),
    );
    for (const { name, data } of records) {
      const described = new Set([...(rows.get(name) ?? "").matchAll(/`([a-z_]+)`/g)].map(([, field]) => field!));
      const lacking = Object.keys(data).filter(
        (field) => !described.has(field) && !["section", "subflow"].includes(field),
      );
      expect(lacking, name).to.deep.equal([]);
    }
  });

  it("has seen every kind of traced event", () => {
    const seen = new Set(told.filter(isTraceEvent).map(({ name }) => name));
    expect([...seen].sort()).to.include.members([
      "mptcp:fallback-considered",
      "path-manager:decision",
      "recovery:metrics-updated",
      "recovery:state-changed",
      "scheduler:decision",
    ]);
  });
});

import { readFileSync } from "node:fs";
import { join } from "node:path";
import { Ajv } from "ajv";
import { expect } from "chai";
import { isTraceEvent, type StackEvent, traceCategoryOf } from "./events.ts";
import { everythingTold } from "./everything-told.fixture.ts";
import { eventSchemas, qlogEvent, qlogHeader, recordSeparator, spelled } from "./qlog.ts";

const repository = join(import.meta.dirname, "..");
const page = readFileSync(join(repository, "docs/events.md"), "utf8");
const published = JSON.parse(readFileSync(join(repository, "schemas/qlog.schema.json"), "utf8")) as object;
const isRecord = new Ajv({ strict: false }).compile(published);

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

  it("begins with what readers of older drafts ask for before they read on", () => {
    const header = qlogHeader({ title: "a run", host: "phone", role: "client" });
    expect(header).to.deep.include({ qlog_version: "0.3", qlog_format: "JSON-SEQ" });
  });

  it("names a schema for the namespace of each event, and for no other", () => {
    const used = new Set(records.map(({ name }) => `urn:x-pathlab:qlog:1:events:${name.split(":")[0]}`));
    expect([...eventSchemas].sort()).to.deep.equal([...used].sort());
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
    expect([...seen].sort()).to.deep.equal(Object.keys(traceCategoryOf).sort());
  });

  it("has each event that the types declare in docs/events.md, and no other", () => {
    const sources = ["notable-events.ts", "connection-decisions.ts", "tcp-decisions.ts"].map((name) =>
      readFileSync(join(import.meta.dirname, name), "utf8"),
    );
    const declared = [...sources.join().matchAll(/ name: "([a-z-]+:[a-z-]+)"/g)].map(([, name]) => spelled(name!));
    const described = [...page.matchAll(/^\| `([a-z_]+:[a-z_]+)` \|/gm)].map(([, name]) => name!);
    expect(described.sort()).to.deep.equal(declared.sort());
  });

  it("names the section that decides, of an RFC or of the paper", () => {
    for (const { name, section } of told) expect(section, name).to.match(/^(RFC \d{4} §\d+(\.\d+)*|NSDI'12 §4\.2)$/);
  });
});

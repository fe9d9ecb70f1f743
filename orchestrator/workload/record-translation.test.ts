import { expect } from "chai";
import type { StackEvent } from "../../stack/events.ts";
import type { SubflowMetrics } from "../../stack/endpoint/protocol.ts";
import type { Plan } from "../plan/plan.ts";
import { RecordTranslator } from "./record-translation.ts";

const plan = {
  nodes: [
    { name: "phone", kind: "host", interfaces: [{ name: "wlan0", link: "wifi", address: "10.1.0.2" }] },
    { name: "server", kind: "host", interfaces: [{ name: "eth0", link: "core", address: "10.9.0.2" }] },
  ],
  links: [
    {
      name: "wifi",
      ends: [
        { node: "phone", interface: "wlan0" },
        { node: "ap", interface: "lan" },
      ],
    },
  ],
} as unknown as Plan;

const subflow: SubflowMetrics = {
  id: "10.9.0.2:5001-10.1.0.2:40000",
  interface: "eth0",
  state: "established",
  backup: false,
  congestionWindowBytes: 14_480,
  smoothedRttMicroseconds: 20_000,
  bytesInFlight: 0,
  bytesAcked: 100,
  bytesReceived: 0,
  retransmissions: 1,
};

const zero = 7_000_000;

describe("RecordTranslator", () => {
  it("makes a sample of the connection and of each subflow, which knows its path", () => {
    const connection = { id: "1", mptcp: true, bytesSent: 100, bytesReceived: 0 };
    const { samples, events } = new RecordTranslator(plan, zero).translate("server", {
      type: "metrics",
      time: 7_100_000,
      connection,
      subflows: [subflow],
    });
    expect(samples).to.deep.equal([
      {
        kind: "connection",
        time: 100_000,
        host: "server",
        connection: "1",
        mptcp: true,
        bytesSent: 100,
        bytesReceived: 0,
      },
      {
        kind: "subflow",
        time: 100_000,
        host: "server",
        connection: "1",
        subflow: subflow.id,
        path: "wifi",
        state: "established",
        congestionWindowBytes: 14_480,
        smoothedRttMicroseconds: 20_000,
        bytesInFlight: 0,
        bytesAcked: 100,
        bytesReceived: 0,
        retransmissions: 1,
      },
    ]);
    expect(events).to.deep.equal([]);
  });

  it("tells of a fallback that metrics show once, not at every sample", () => {
    const translator = new RecordTranslator(plan, zero);
    const connection = { id: "1", mptcp: false, fallback: "reported by the kernel", bytesSent: 0, bytesReceived: 0 };
    const events = [1, 2].flatMap(
      (time) => translator.translate("phone", { type: "metrics", time, connection, subflows: [] }).events,
    );
    expect(events.map(({ message }) => message)).to.deep.equal([
      "phone: connection 1 runs as plain TCP: reported by the kernel",
    ]);
  });

  it("derives goodput from progress, counted from when the connection was there", () => {
    const translator = new RecordTranslator(plan, zero);
    translator.translate("phone", { type: "workload-event", time: zero, workload: "b", name: "connected" });
    const goodput = [
      { time: zero + 100_000, bytes: 100_000 },
      { time: zero + 300_000, bytes: 100_000 },
    ].flatMap(
      ({ time, bytes }) => translator.translate("phone", { type: "progress", time, workload: "b", bytes }).samples,
    );
    expect(goodput).to.deep.equal([
      { kind: "workload", time: 100_000, workload: "b", bytes: 100_000, goodputBitsPerSecond: 8_000_000 },
      { kind: "workload", time: 300_000, workload: "b", bytes: 100_000, goodputBitsPerSecond: 4_000_000 },
    ]);
  });

  it("gives stalls their place on the run's time", () => {
    const detail = { at: zero + 5, microseconds: 1_500_000 };
    const { events } = new RecordTranslator(plan, zero).translate("phone", {
      type: "workload-event",
      time: zero + 9,
      workload: "video",
      name: "stall-ended",
      detail,
    });
    expect(events).to.deep.equal([
      {
        time: 9,
        source: "workload",
        subject: "video",
        name: "workload:stall-ended",
        message: "video: playback at phone goes on after a stall of 1.500 s",
        detail: { host: "phone", at: 5, microseconds: 1_500_000 },
      },
    ]);
  });

  it("moves every moment of a result to the run's time, and no length of time", () => {
    const moved = new RecordTranslator(plan, zero).result({
      kind: "receiver",
      bytes: 1,
      sha256: "s",
      connectedAt: zero + 1,
      firstByteAt: zero + 2,
      lastByteAt: zero + 3,
      longestGapMicroseconds: 4,
      longestGapAt: zero + 5,
      playback: { startedAt: zero + 6, stalls: [{ at: zero + 7, microseconds: 8 }] },
    });
    expect(moved).to.deep.equal({
      kind: "receiver",
      bytes: 1,
      sha256: "s",
      connectedAt: 1,
      firstByteAt: 2,
      lastByteAt: 3,
      longestGapMicroseconds: 4,
      longestGapAt: 5,
      playback: { startedAt: 6, stalls: [{ at: 7, microseconds: 8 }] },
    });
  });

  it("puts the stack's decisions on the timeline as sentences, with their inputs and the section that decides", () => {
    const base = { time: zero, connection: 1, subflow: 2 };
    const events: StackEvent[] = [
      {
        ...base,
        name: "mptcp:subflow-established",
        interfaceName: "wlan0",
        localAddress: "10.1.0.2",
        localPort: 4000,
        remoteAddress: "10.9.0.2",
        remotePort: 5001,
        handshakeMicroseconds: 20_400,
        backup: false,
        section: "RFC 8684 §3.2",
      },
      {
        ...base,
        name: "scheduler:stale",
        consecutiveTimeouts: 2,
        unacknowledgedBytes: 2896,
        section: "RFC 8684 §3.3.6",
      },
      { ...base, name: "mptcp:fallback", reason: "peer-without-mptcp", section: "RFC 8684 §3.7" },
    ];
    const translator = new RecordTranslator(plan, zero);
    const lines = events.flatMap(
      (event) => translator.translate("phone", { type: "event", time: event.time + 10, event }).events,
    );
    expect(lines.map(({ message }) => message)).to.deep.equal([
      "phone: subflow 2 from 10.1.0.2:4000 (wlan0) to 10.9.0.2:5001 is established after 20 ms",
      "phone: subflow 2 is stale after 2 timeouts with 2896 bytes unacknowledged",
      "phone: connection 1 fell back to TCP: peer without mptcp",
    ]);
    expect(lines[1]).to.deep.include({
      time: 10,
      source: "endpoint",
      subject: "phone",
      name: "scheduler:stale",
      section: "RFC 8684 §3.3.6",
      detail: { connection: 1, subflow: 2, consecutiveTimeouts: 2, unacknowledgedBytes: 2896 },
    });
  });
});

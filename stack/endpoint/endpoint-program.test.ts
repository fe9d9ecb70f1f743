import { PassThrough } from "node:stream";
import { expect } from "chai";
import { monotonicClock } from "./clock.ts";
import { EndpointProgram, type OpenTransport } from "./endpoint-program.ts";
import type { EndpointCommand, EndpointRecord, StartCommand } from "./protocol.ts";
import type { Transport, TransportSocket } from "./transport.ts";

const start: StartCommand = {
  do: "start",
  host: "phone",
  transport: { kind: "kernel" },
  metricsIntervalMicroseconds: 1e9,
};
const workload = {
  kind: "bulk",
  name: "b",
  serverAddress: "10.9.0.2",
  port: 1,
  payloadSeed: 1,
  sender: "client",
  sizeBytes: 100,
} as const;

const socket = (): TransportSocket => Object.assign(new PassThrough(), { setNoDelay: () => undefined });

/** A transport whose server gets one connection as soon as it listens: a socket that hears what it says. */
function loopback(closed: () => void = () => undefined): Transport {
  return {
    versions: { test: "1" },
    sampleIsCostly: false,
    connect: () => socket(),
    listen: async (_port, onConnection) => onConnection(socket()),
    sample: async () => [],
    close: async () => closed(),
  };
}

function run(open: OpenTransport): { program: EndpointProgram; records: EndpointRecord[]; exited: Promise<number> } {
  const records: EndpointRecord[] = [];
  const { promise: exited, resolve } = Promise.withResolvers<number>();
  return {
    program: new EndpointProgram((record) => records.push(record), resolve, open, monotonicClock),
    records,
    exited,
  };
}

describe("EndpointProgram", () => {
  it("is ready when its transport is, and closes it before it exits", async () => {
    let closed = false;
    const { program, records, exited } = run(async () => loopback(() => (closed = true)));
    program.handle(start);
    await new Promise(setImmediate);
    expect(records[0]).to.deep.include({ type: "ready", versions: { test: "1" } });
    program.handle({ do: "stop" });
    expect(await exited).to.equal(0);
    expect(closed).to.equal(true);
  });

  for (const [code, exitCode] of [
    ["ENODEV", 3],
    ["EPERM", 3],
    ["ERR_ASSERTION", 4],
  ] as const) {
    it(`exits with ${exitCode} when its transport cannot be opened for ${code}`, async () => {
      const { program, records, exited } = run(async () =>
        Promise.reject(Object.assign(new Error("no interface wlan0"), { code })),
      );
      program.handle(start);
      expect(await exited).to.equal(exitCode);
      expect(records[0])
        .to.include({ type: "error", code, message: "no interface wlan0" })
        .and.not.to.have.property("workload");
    });
  }

  it("says that it listens, and what became of its workload", async () => {
    const { program, records } = run(async () => loopback());
    program.handle(start);
    await new Promise(setImmediate);
    program.handle({
      do: "workload",
      role: "server",
      workload: { ...workload, sender: "server", sizeBytes: 0 },
      startAt: 0,
    });
    while (!records.some(({ type }) => type === "result")) await new Promise(setImmediate);
    const kinds = records.map((record) => (record.type === "workload-event" ? record.name : record.type));
    expect(kinds).to.include.members(["ready", "connected", "listening", "result"]);
    program.handle({ do: "stop" });
  });

  it("refuses commands out of their order, and what is none", async () => {
    const { program } = run(async () => loopback());
    expect(() => program.handle({ do: "workload", role: "client", workload, startAt: 0 })).to.throw(
      "before the endpoint was ready",
    );
    program.handle(start);
    await new Promise(setImmediate);
    expect(() => program.handle(start)).to.throw("a second start");
    expect(() => program.handle({ do: "dance" } as unknown as EndpointCommand)).to.throw("not a command");
    program.handle({ do: "stop" });
  });
});

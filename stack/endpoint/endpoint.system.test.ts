import { expect } from "chai";
import { bundleEndpoint, EndpointUnderTest, removeBundle } from "./endpoint-pair.fixture.ts";
import type {
  EndpointRecord,
  RequestResponseDescription,
  StreamDescription,
  WorkloadDescription,
  WorkloadResult,
} from "./protocol.ts";
import { payloadSha256, responseSeed } from "./workload/payload.ts";
import { streamBytes } from "./workload/segment-schedule.ts";

async function resultOf(endpoint: EndpointUnderTest): Promise<WorkloadResult> {
  const record = await endpoint.next(({ type }) => type === "result" || type === "error");
  if (record.type !== "result") throw new Error(JSON.stringify(record));
  return record.result;
}

/** Both sides on this machine's loopback, over the kernel's TCP. */
async function overLoopback(workload: WorkloadDescription): Promise<{
  client: WorkloadResult;
  server: WorkloadResult;
  samples: Extract<EndpointRecord, { type: "metrics" }>[];
}> {
  const endpoints = { client: new EndpointUnderTest([]), server: new EndpointUnderTest([]) };
  for (const endpoint of Object.values(endpoints)) {
    endpoint.say({ do: "start", host: "h", transport: { kind: "kernel" }, metricsIntervalMicroseconds: 50_000 });
    await endpoint.next(({ type }) => type === "ready");
  }
  endpoints.server.say({ do: "workload", role: "server", workload, startAt: 0 });
  await endpoints.server.next(({ type }) => type === "listening");
  endpoints.client.say({ do: "workload", role: "client", workload, startAt: 0 });
  const [client, server] = await Promise.all([resultOf(endpoints.client), resultOf(endpoints.server)]);
  expect(await endpoints.client.stop()).to.equal(0);
  expect(await endpoints.server.stop()).to.equal(0);
  return { client, server, samples: endpoints.client.ofType("metrics") };
}

/** Below the ports that the kernel gives to who asks for none (ip_local_port_range): nobody's connection has it. */
const port = 17_301;
const place = { serverAddress: "127.0.0.1", port, payloadSeed: 11 };

describe("the endpoint program over the kernel's TCP", function () {
  this.timeout(300_000);
  before(bundleEndpoint);
  after(removeBundle);

  for (const sender of ["client", "server"] as const) {
    it(`carries a bulk transfer whose bytes the judge can compute, sent by the ${sender}`, async () => {
      const sizeBytes = 3_000_001;
      const results = await overLoopback({ kind: "bulk", name: "bulk", ...place, sender, sizeBytes });
      const receiver = results[sender === "client" ? "server" : "client"];
      expect(receiver).to.include({ kind: "receiver", bytes: sizeBytes, sha256: payloadSha256(11, sizeBytes) });
      expect(results[sender]).to.include({ kind: "sender", bytes: sizeBytes });
    });
  }

  it("carries a bulk transfer over IPv6, and finds its socket among the machine's", async () => {
    let samples: Extract<EndpointRecord, { type: "metrics" }>[] = [];
    // On a busy machine a transfer may be over before anybody looks at its socket: then the next takes longer.
    for (let durationMicroseconds = 900_000; samples.length === 0; durationMicroseconds *= 2) {
      const to = { ...place, serverAddress: "::1", durationMicroseconds };
      const results = await overLoopback({ kind: "bulk", name: "bulk", sender: "server", ...to });
      const { client, server } = results;
      if (client.kind !== "receiver" || server.kind !== "sender") throw new Error("wrong kinds of results");
      expect(client).to.include({ bytes: server.bytes, sha256: payloadSha256(11, server.bytes) });
      samples = results.samples;
    }
    expect(samples[0]!.connection.id).to.match(/^\[::1\]:\d+-\[::1\]:17301$/);
    expect(samples[0]!.subflows.map((subflow) => subflow.interface)).to.deep.equal(["lo"]);
  });

  it("sends for a time, and both sides agree on how much that was", async () => {
    const { client, server } = await overLoopback({
      kind: "bulk",
      name: "bulk",
      ...place,
      sender: "server",
      durationMicroseconds: 200_000,
    });
    if (client.kind !== "receiver" || server.kind !== "sender") throw new Error("wrong kinds of results");
    expect(client.bytes).to.equal(server.bytes).and.to.be.greaterThan(0);
    expect(client.sha256).to.equal(payloadSha256(11, server.bytes));
  });

  it("plays a stream without a stall", async () => {
    // It is played when all of it is there: how late a segment is lies with the machine.
    const times = { segmentMicroseconds: 50_000, playbackBufferMicroseconds: 800_000, durationMicroseconds: 800_000 };
    const stream: StreamDescription = {
      kind: "stream",
      name: "video",
      ...place,
      sender: "server",
      rateBitsPerSecond: 4_000_000,
      ...times,
    };
    const { client } = await overLoopback(stream);
    if (client.kind !== "receiver") throw new Error("not a receiver");
    expect(client).to.include({ bytes: streamBytes(stream), sha256: payloadSha256(11, streamBytes(stream)) });
    expect(client.playback?.stalls).to.deep.equal([]);
  });

  it("answers each request", async () => {
    const requests: RequestResponseDescription = {
      kind: "request-response",
      name: "rpc",
      ...place,
      requestBytes: 101,
      responseBytes: 5003,
      intervalMicroseconds: 5000,
      count: 40,
    };
    const { client, server } = await overLoopback(requests);
    expect(client).to.include({
      kind: "requester",
      requests: 40,
      responses: 40,
      sha256: payloadSha256(responseSeed(11), 40 * 5003),
    });
    expect(server).to.include({ kind: "responder", requests: 40, sha256: payloadSha256(11, 40 * 101) });
    expect(client.kind === "requester" && client.latenciesMicroseconds).to.have.length(40);
  });

  it("reports a refused connection with node:net's code and lives on", async () => {
    const endpoint = new EndpointUnderTest([]);
    endpoint.say({ do: "start", host: "h", transport: { kind: "kernel" }, metricsIntervalMicroseconds: 50_000 });
    await endpoint.next(({ type }) => type === "ready");
    endpoint.say({
      do: "workload",
      role: "client",
      workload: { kind: "bulk", name: "bulk", ...place, sender: "client", sizeBytes: 1 },
      startAt: 0,
    });
    expect(await endpoint.next(({ type }) => type === "error")).to.include({ workload: "bulk", code: "ECONNREFUSED" });
    expect(await endpoint.stop()).to.equal(0);
  });

  it("ends with its standard input, so that nothing outlives the orchestrator", async () => {
    const endpoint = new EndpointUnderTest([]);
    endpoint.say({ do: "start", host: "h", transport: { kind: "kernel" }, metricsIntervalMicroseconds: 50_000 });
    await endpoint.next(({ type }) => type === "ready");
    endpoint.closeInput();
    expect(await endpoint.exited).to.equal(0);
  });

  it("ends with 4 on what is not a command", async () => {
    const endpoint = new EndpointUnderTest([]);
    endpoint.write('{"do":"dance"}\n');
    expect(await endpoint.exited).to.equal(4);
    expect(endpoint.ofType("error")[0]?.message).to.contain('not a command: {"do":"dance"}');
  });
});

import { once } from "node:events";
import { createServer, type IncomingMessage, request } from "node:http";
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { spawnSync } from "node:child_process";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { setImmediate as turn } from "node:timers/promises";
import { expect } from "chai";
import { thirdGeneration, wifi } from "../../testing/pair.ts";
import { virtualHosts, type VirtualHosts } from "../../net/virtual-hosts.fixture.ts";
import { EndpointMetrics } from "./metrics.ts";
import { endpointState, stateText } from "./state.ts";
import { parseStatusAddress } from "./status-address.ts";
import { StatusServer } from "./status-server.ts";
import type { StatusSource } from "./status-source.ts";

interface Family {
  readonly type: string;
  readonly help: string;
  readonly samples: { readonly name: string; readonly labels: string; readonly value: number }[];
}

/** As Prometheus's documents have the text format; what is not that is refused. */
function parsed(exposition: string): Map<string, Family> {
  const families = new Map<string, Family>();
  let help = "";
  for (const line of exposition.split("\n").filter((each) => each !== "")) {
    const [, kind, subject = "", rest = ""] = /^# (HELP|TYPE) (\S+) (.+)$/.exec(line) ?? [];
    if (kind === "HELP") help = rest;
    else if (kind === "TYPE") families.set(subject, { type: rest, help, samples: [] });
    else {
      const [, name = "", labels = "", value = ""] = /^([a-z_]+)(?:\{(.*)\})? ([-+.\deInfNa]+)$/.exec(line) ?? [];
      const family = families.get(name);
      if (family === undefined) throw new Error(`of no family: ${line}`);
      family.samples.push({ name, labels, value: value === "+Inf" ? Infinity : Number(value) });
    }
  }
  return families;
}

describe("the endpoint's status", () => {
  let hosts: VirtualHosts;
  let source: StatusSource;

  beforeEach(() => {
    hosts = virtualHosts({ paths: [wifi, thirdGeneration], serverInterfaces: 2 });
    const counters = () => [
      { interfaceName: "wlan0", receiveDrops: 3, transmitOverruns: 1, transmitFailures: { ENOBUFS: 2 } },
    ];
    source = {
      role: "serve",
      startedAt: 1000,
      hosts: [{ host: hosts.pair.server, now: () => hosts.pair.network.now, counters }],
      gateway: () => ({ carried: 5, broken: 1, refused: 2, bytesUp: 10, bytesDown: 20 }),
    };
  });
  afterEach(() => hosts.close());

  async function transferred(): Promise<void> {
    const server = hosts.server.createServer({ allowHalfOpen: true }, (socket) => void socket.resume()).listen(80);
    await once(server, "listening");
    const socket = hosts.client.connect(80, hosts.serverAddress);
    socket.write(Buffer.alloc(300_000));
    while (hosts.pair.server.connections[0]?.info().bytesReceived !== 300_000) await turn();
  }

  it("is metrics by Prometheus's conventions: help for each, base units, _total on counters and on nothing else", async () => {
    await transferred();
    const families = parsed(await new EndpointMetrics(source).text());
    expect(families.size).to.be.greaterThan(35);
    for (const [name, { type, help }] of families) {
      expect(name).to.match(/^pathlab_[a-z]+(_[a-z]+)+$/);
      expect(help, name).to.have.length.above(8);
      expect(type, name).to.be.oneOf(["gauge", "counter"]);
      expect(name.endsWith("_total"), name).to.equal(type === "counter");
      expect(name).not.to.match(/milli|micro|kilo|mega|_ms_|_us_/);
    }
  });

  it("tells what the stack tells", async () => {
    await transferred();
    const families = parsed(await new EndpointMetrics(source).text());
    const values = (name: string): number[] => families.get(name)!.samples.map(({ value }) => value);
    const [connection] = hosts.pair.server.connections;
    const info = connection!.info();
    expect(values("pathlab_connection_received_bytes_total")).to.deep.equal([300_000]);
    expect(values("pathlab_connection_mptcp")).to.deep.equal([1]);
    expect(values("pathlab_subflow_received_bytes_total")).to.deep.equal(
      info.subflows.map((each) => each.bytesReceived),
    );
    expect(values("pathlab_subflow_smoothed_rtt_seconds")).to.deep.equal(
      info.subflows.map((each) => each.smoothedRttMicroseconds / 1e6),
    );
    expect(values("pathlab_subflow_slow_start_threshold_bytes")).to.include(Infinity);
    expect(families.get("pathlab_subflow_state")!.samples[0]!.labels).to.match(
      /^host="server",connection="1",subflow="0",local="10\.0\.\d+\.2:80",remote="[\d.]+:\d+",interface="\w+"$/,
    );
    expect(values("pathlab_interface_receive_dropped_frames_total")).to.deep.equal([3]);
    expect(families.get("pathlab_interface_transmit_failures_total")!.samples[0]!.labels).to.contain('error="ENOBUFS"');
    expect(values("pathlab_gateway_connections_total")).to.deep.equal([5, 1, 2]);
    expect(values("pathlab_gateway_carried_bytes_total")).to.deep.equal([10, 20]);
  });

  it("has no metric that docs/endpoint-program.md does not tell", async () => {
    await transferred();
    const page = readFileSync(join(import.meta.dirname, "../../../docs/endpoint-program.md"), "utf8");
    const names = [...parsed(await new EndpointMetrics(source).text()).keys()];
    const told = (name: string): boolean => {
      const [, group, rest] = /^(pathlab_[a-z]+)(_.+)$/.exec(name)!;
      return page.split("\n").some((line) => line.includes(`\`${group}_`) && line.includes(`${rest}\``));
    };
    expect(names.filter((name) => !told(name))).to.deep.equal([]);
  });

  it("forgets what has ended", async () => {
    await transferred();
    const metrics = new EndpointMetrics(source);
    expect(parsed(await metrics.text()).get("pathlab_connection_subflows")!.samples).to.have.length(1);
    for (const connection of hosts.pair.server.connections) connection.abort(hosts.pair.network.now);
    while (hosts.pair.server.connections.length > 0) await turn();
    expect(parsed(await metrics.text()).get("pathlab_connection_subflows")?.samples ?? []).to.deep.equal([]);
  });

  it("is bounded, however many connections there are", async () => {
    const server = hosts.server.createServer({ allowHalfOpen: true }).listen(80);
    await once(server, "listening");
    const sockets = Array.from({ length: 520 }, () => hosts.client.connect(80, hosts.serverAddress));
    await Promise.all(sockets.map((socket) => once(socket, "connect")));
    while (hosts.pair.server.connections.length < 520) await turn();
    const families = parsed(await new EndpointMetrics(source).text());
    expect(families.get("pathlab_connection_subflows")!.samples).to.have.length(500);
    expect(families.get("pathlab_host_connections")!.samples[0]!.value).to.equal(520);
    expect(families.get("pathlab_host_connections_not_told")!.samples[0]!.value).to.equal(20);
    const state = endpointState(source, 1001);
    expect([state.hosts[0]!.connections.length, state.hosts[0]!.connectionsNotTold]).to.deep.equal([500, 20]);
  });

  it("is JSON with 64-bit numbers as strings", async () => {
    await transferred();
    const state = JSON.parse(stateText(endpointState(source, 1010.5)));
    expect(state).to.deep.include({ role: "serve", uptimeSeconds: 10.5 });
    const [connection] = state.hosts[0].connections;
    expect(BigInt(connection.mptcpi_write_seq)).to.be.a("bigint");
    expect(connection).to.deep.include({ state: "established", mptcp: true, bytesReceived: 300_000 });
    expect(connection.subflows[0]).to.include({ tcpi_state: 1, slowStartThreshold: null });
  });
});

describe("the status server", () => {
  let directory: string;
  let server: StatusServer;
  const source: StatusSource = { role: "listen", startedAt: 0, hosts: [] };

  beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), "pathlab-status-"));
    server = new StatusServer(source);
  });
  afterEach(() => {
    server.close();
    rmSync(directory, { recursive: true });
  });

  async function ask(options: object): Promise<{ status: number; type: string; body: string }> {
    const call = request({ agent: false, ...options }).end();
    const [response] = (await once(call, "response")) as [IncomingMessage];
    return { status: response.statusCode!, type: response.headers["content-type"] ?? "", body: await text(response) };
  }

  it("answers on a port of 127.0.0.1", async () => {
    await server.listen(parseStatusAddress("0")!);
    const at = (path: string, method = "GET") => ask({ port: server.port, path, method });
    expect(await at("/metrics")).to.include({ status: 200, type: "text/plain; version=0.0.4; charset=utf-8" });
    expect(JSON.parse((await at("/state")).body)).to.include({ role: "listen", pid: process.pid });
    expect((await at("/")).body).to.contain("GET /metrics");
    expect((await at("/nothing")).status).to.equal(404);
    expect((await at("/state", "POST")).status).to.equal(405);
  });

  it("answers on a socket of the file system, and takes it over from a program that was killed", async () => {
    const path = join(directory, "endpoint.sock");
    const killed = `require("net").createServer().listen(${JSON.stringify(path)}, () => process.kill(process.pid, "SIGKILL"))`;
    spawnSync(process.execPath, ["-e", killed]);
    expect(existsSync(path)).to.equal(true);
    await server.listen(parseStatusAddress(path)!);
    expect((await ask({ socketPath: path, path: "/state" })).status).to.equal(200);
  });

  it("does not take anything from a program that lives", async () => {
    const path = join(directory, "endpoint.sock");
    const other = createServer().listen(path);
    await once(other, "listening");
    const error = await server.listen(parseStatusAddress(path)!).catch((refused: NodeJS.ErrnoException) => refused);
    expect(error).to.have.property("code", "EADDRINUSE");
    other.close();
  });

  it("leaves a file that is no socket as it is", async () => {
    const path = join(directory, "notes.txt");
    writeFileSync(path, "a year of work");
    const error = await server.listen(parseStatusAddress(path)!).catch((refused: NodeJS.ErrnoException) => refused);
    expect(error).to.have.property("code", "EADDRINUSE");
    expect(readFileSync(path, "utf8")).to.equal("a year of work");
  });

  it("is told where in the forms that people write", () => {
    expect(parseStatusAddress("9100")).to.deep.equal({ kind: "tcp", host: "127.0.0.1", port: 9100 });
    expect(parseStatusAddress("[::1]:9100")).to.deep.equal({ kind: "tcp", host: "::1", port: 9100 });
    expect(parseStatusAddress("./e.sock")).to.deep.equal({ kind: "unix", path: "./e.sock" });
    for (const wrong of ["", "here", "localhost:1", "70000", "1.2.3:80"])
      expect(parseStatusAddress(wrong), wrong).to.equal(undefined);
  });
});

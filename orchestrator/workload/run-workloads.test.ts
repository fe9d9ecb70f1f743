import { PassThrough } from "node:stream";
import { expect } from "chai";
import { monotonicMicroseconds } from "../../stack/endpoint/clock.ts";
import { LineSplitter } from "../../stack/endpoint/ndjson.ts";
import type { EndpointCommand, EndpointRecord } from "../../stack/endpoint/protocol.ts";
import type { Plan } from "../plan/plan.ts";
import type { LabProcess, ProcessHost } from "./lab-process.ts";
import { EndpointError } from "./endpoint-session.ts";
import { startEndpoints, type WorkloadFailure, type WorkloadSink } from "./run-workloads.ts";

type Say = (record: DistributiveOmit<EndpointRecord, "time"> & { time?: number }) => void;
type DistributiveOmit<Union, Key extends PropertyKey> = Union extends unknown ? Omit<Union, Key> : never;
type Behaviour = (command: EndpointCommand, say: Say, exit: (code: number, stderr?: string) => void) => void;

/** An endpoint program made of its answers. */
class ScriptedProcess implements LabProcess {
  readonly name = "endpoint";
  readonly stdin = new PassThrough();
  readonly stdout = new PassThrough();
  readonly stderr = new PassThrough();
  readonly exited: LabProcess["exited"];
  killed: string | undefined;
  #end!: (code: number | null, stderr?: string) => void;

  constructor(behaviour: Behaviour) {
    this.exited = new Promise((resolve) => {
      this.#end = (code, stderr = "") => {
        this.stdout.end();
        this.stderr.end(stderr);
        resolve({ code, signal: code === null ? "SIGKILL" : null });
      };
    });
    const lines = new LineSplitter();
    this.stdin.on("data", (chunk: Buffer) => {
      for (const line of lines.push(chunk)) {
        behaviour(
          JSON.parse(line) as EndpointCommand,
          (record) => this.stdout.write(`${JSON.stringify({ time: monotonicMicroseconds(), ...record })}\n`),
          this.#end,
        );
      }
    });
  }

  async kill(signal: NodeJS.Signals): Promise<void> {
    this.killed = signal;
    this.#end(null);
  }
}

const sound: Behaviour = (command, say, exit) => {
  if (command.do === "start") say({ type: "ready", pid: 1, versions: {} });
  else if (command.do === "stop") exit(0);
  else if (command.role === "server") say({ type: "listening", workload: "b", port: 1 });
  else say({ type: "result", workload: "b", role: "client", result: { kind: "responder", requests: 1, sha256: "c" } });
};

/** Also says the server's result as soon as it listens. */
const soundServer: Behaviour = (command, say, exit) => {
  sound(command, say, exit);
  if (command.do === "workload")
    say({
      type: "result",
      workload: "b",
      role: "server",
      result: { kind: "sender", bytes: 1, connectedAt: 5_000_100 },
    });
};

function lab(
  behaviours: Record<string, Behaviour>,
  deadlineMicroseconds = 60_000_000,
): { lab: ProcessHost; processes: ScriptedProcess[] } {
  const endpoint = { kind: "linux-tcp" };
  const node = (name: string): object => ({
    name,
    kind: "host",
    interfaces: [],
    routes: [],
    sourceRoutes: [],
    endpoint,
  });
  const workload = {
    kind: "bulk",
    name: "b",
    client: "phone",
    server: "server",
    from: "server",
    to: "phone",
    serverAddress: "10.9.0.2",
    port: 1,
    startMicroseconds: 0,
    payloadSeed: 1,
    sizeBytes: 1,
  };
  const plan = {
    seed: 1,
    nodes: [node("phone"), node("server"), { name: "router", kind: "router", interfaces: [] }],
    links: [],
    workloads: [workload],
    metricsIntervalMicroseconds: 100_000,
    deadlineMicroseconds,
  } as unknown as Plan;
  const processes: ScriptedProcess[] = [];
  const spawn = async (name: string): Promise<LabProcess> => {
    const process = new ScriptedProcess(behaviours[name] ?? sound);
    processes.push(process);
    return process;
  };
  return { lab: { plan, spawn, networkNamespace: (name) => name }, processes };
}

function sink(): WorkloadSink & { lines: string[]; failures: WorkloadFailure[] } {
  const lines: string[] = [];
  const failures: WorkloadFailure[] = [];
  return {
    lines,
    failures,
    event: ({ time, name }) => lines.push(`event ${time} ${name}`),
    stackEvent: () => undefined,
    sample: ({ time, kind }) => lines.push(`sample ${time} ${kind}`),
    result: (workload, role, result) =>
      lines.push(`result ${workload} ${role} ${"connectedAt" in result ? result.connectedAt : ""}`),
    connection: () => undefined,
    failure: (failure) => failures.push(failure),
  };
}

const programs = { node: "node", endpoint: "endpoint.mjs", videoCache: "videos" };
const never = new AbortController().signal;

async function rejection(promise: Promise<unknown>): Promise<unknown> {
  return promise.then(
    () => expect.fail("it resolved"),
    (error: unknown) => error,
  );
}

describe("workloads on a lab", () => {
  it("are over when both sides have reported, on the run's time, with what was said before the zero", async () => {
    const { lab: made } = lab({ server: soundServer });
    const endpoints = await startEndpoints(made, programs, never);
    const heard = sink();
    await endpoints.run(5_000_000, heard, never);
    await endpoints.stop();
    expect(heard.lines.filter((line) => line.startsWith("result"))).to.deep.equal([
      "result b server 100",
      "result b client ",
    ]);
    expect(heard.failures).to.deep.equal([]);
  });

  it("fail with the code that a side reported", async () => {
    const refused: Behaviour = (command, say, exit) => {
      if (command.do !== "workload") return sound(command, say, exit);
      say({ type: "error", workload: "b", code: "ECONNREFUSED", message: "connect ECONNREFUSED" });
    };
    const { lab: made } = lab({ phone: refused });
    const endpoints = await startEndpoints(made, programs, never);
    const heard = sink();
    await endpoints.run(monotonicMicroseconds(), heard, never);
    await endpoints.stop();
    expect(heard.failures).to.deep.equal([
      { workload: "b", role: "client", host: "phone", code: "ECONNREFUSED", message: "connect ECONNREFUSED" },
    ]);
  });

  it("fail when an endpoint ends, with the last that it wrote", async () => {
    const dying: Behaviour = (command, say, exit) => {
      if (command.do === "workload") exit(4, "Error: out of memory\n");
      else sound(command, say, exit);
    };
    const { lab: made } = lab({ phone: dying });
    const endpoints = await startEndpoints(made, programs, never);
    const heard = sink();
    await endpoints.run(monotonicMicroseconds(), heard, never);
    await endpoints.stop();
    expect(heard.failures).to.have.length(1);
    expect(heard.failures[0]).to.deep.include({ workload: "b", host: "phone", code: "EEXIT" });
    expect(heard.failures[0]?.message).to.equal(
      "endpoint of phone: ended unexpectedly (exit code 4); it last wrote: Error: out of memory",
    );
  });

  it("fail at the deadline, each side that is still out", async () => {
    const silent: Behaviour = (command, say, exit) => {
      if (command.do !== "workload" || command.role === "server") sound(command, say, exit);
    };
    const { lab: made } = lab({ phone: silent }, 0);
    const endpoints = await startEndpoints(made, programs, never);
    const heard = sink();
    await endpoints.run(monotonicMicroseconds(), heard, never);
    await endpoints.stop();
    expect(heard.failures.map(({ role, host, code }) => [role, host, code])).to.deep.equal([
      ["client", "phone", "ETIME"],
      ["server", "server", "ETIME"],
    ]);
  });

  it("end at once when aborted", async () => {
    const silent: Behaviour = (command, say, exit) => {
      if (command.do !== "workload" || command.role === "server") sound(command, say, exit);
    };
    const { lab: made } = lab({ phone: silent });
    const endpoints = await startEndpoints(made, programs, never);
    const abort = new AbortController();
    const run = rejection(endpoints.run(monotonicMicroseconds(), sink(), abort.signal));
    const reason = new Error("Ctrl-C");
    abort.abort(reason);
    expect(await run).to.equal(reason);
    await endpoints.stop();
  });

  it("do not start when the machine lacks something for an endpoint, and leave none behind", async () => {
    const lacking: Behaviour = (command, say, exit) => {
      if (command.do !== "start") return;
      say({ type: "error", code: "ENODEV", message: "no interface wlan0" });
      exit(3);
    };
    const { lab: made, processes } = lab({ phone: lacking });
    const error = await rejection(startEndpoints(made, programs, never));
    expect(error).to.be.instanceOf(EndpointError);
    expect(error).to.include({ host: "phone", code: "ENODEV", machine: true });
    for (const process of processes) await process.exited;
  });

  it("do not start when a port is taken", async () => {
    const taken: Behaviour = (command, say, exit) => {
      if (command.do === "workload")
        say({ type: "error", workload: "b", code: "EADDRINUSE", message: "port 1 is in use" });
      else sound(command, say, exit);
    };
    const { lab: made } = lab({ server: taken });
    expect(await rejection(startEndpoints(made, programs, never))).to.include({ host: "server", code: "EADDRINUSE" });
  });

  it("kill an endpoint that talks nonsense", async () => {
    const process = new ScriptedProcess(() => undefined);
    const { lab: made } = lab({});
    const broken = { ...made, spawn: async () => process } as unknown as ProcessHost;
    process.stdin.once("data", () => process.stdout.write("segfault\n"));
    expect(await rejection(startEndpoints(broken, programs, never))).to.include({ code: "EPROTO" });
    expect(process.killed).to.equal("SIGKILL");
  });
});

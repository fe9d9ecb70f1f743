/** docs/endpoint-program.md, as a reader would try it, and what becomes of it when the machine or the caller is at fault. */
import { once } from "node:events";
import type { ChildProcess } from "node:child_process";
import { createHash } from "node:crypto";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setImmediate as turn } from "node:timers/promises";
import { text } from "node:stream/consumers";
import { expect } from "chai";
import type { EndpointState } from "./status/state.ts";
import { TwoMachines, type Machine } from "./two-machines.fixture.ts";

const root = join(import.meta.dirname, "../..");
const program = "node build/endpoint.cjs";
const ofClient = "--interface wlan0=10.77.1.11/24 --interface wwan0=10.77.2.11/24";

/** Bytes on a path that is back: more than handshakes. LIA gives it little beside a path of 16 Gbit/s once it has lost a packet (RFC 6356 §3). */
const carriesAgain = 100_000;

interface LogRecord {
  readonly level: string;
  readonly message: string;
  readonly code?: string;
  readonly port?: number;
  readonly reason?: string;
  readonly localAddress?: string;
}

interface Ended {
  readonly code: number | null;
  readonly output: string;
  readonly log: readonly LogRecord[];
}

/** Reads logs as they come. */
class Running {
  readonly log: LogRecord[] = [];
  readonly ended: Promise<Ended>;
  readonly child: ChildProcess;
  #wake: (() => void) | undefined;

  constructor(child: ChildProcess) {
    this.child = child;
    let rest = "";
    child.stderr!.setEncoding("utf8").on("data", (chunk: string) => {
      const lines = (rest + chunk).split("\n");
      rest = lines.pop()!;
      this.log.push(...lines.map((line) => JSON.parse(line) as LogRecord));
      this.#wake?.();
    });
    const output = text(child.stdout!);
    this.ended = once(child, "close").then(async ([code]) => {
      this.#wake?.();
      return { code: code as number | null, output: await output, log: this.log };
    });
  }

  /** The first record with the message that has come or will come. Rejects when the program ends without it. */
  async says(message: string): Promise<LogRecord> {
    for (;;) {
      const found = this.log.find((record) => record.message === message);
      if (found !== undefined) return found;
      if (this.child.exitCode !== null) throw new Error(`ended without "${message}": ${JSON.stringify(this.log)}`);
      await new Promise<void>((resolve) => (this.#wake = resolve));
    }
  }
}

describe("the endpoint program between two machines", function () {
  this.timeout(300_000);
  const machines = new TwoMachines("docs/endpoint-program.md", "plp");
  const start = (machine: Machine, block: string): Running => new Running(machines.start(machine, block));
  const call = (machine: Machine, line: string): Running =>
    new Running(machines.spawn(machine, `exec ${program} ${line}`));
  const tried = new Set<string>();
  const run = (machine: Machine, block: string): string => {
    tried.add(`${machine} ${block}`);
    return machines.run(machine, block);
  };
  let services: Running;

  const state = async (): Promise<EndpointState> => {
    tried.add("server state");
    return JSON.parse(await text(machines.start("server", "state").stdout!)) as EndpointState;
  };
  /** The server's connections, when they are as `are` wants them. */
  const connections = async (
    are: (connections: EndpointState["hosts"][number]["connections"]) => boolean,
  ): Promise<EndpointState["hosts"][number]> => {
    for (;;) {
      const [host] = (await state()).hosts;
      if (are(host!.connections)) return host!;
    }
  };

  before(async () => {
    machines.up();
    run("client", "build");
    tried.add("server serve");
    services = start("server", "serve");
    await services.says("status");
    while (services.log.filter(({ message }) => message === "listening").length < 3)
      await once(services.child.stderr!, "data");
  });

  after(() => machines.down());

  it("carries a word there and back", () => {
    expect(run("client", "hello")).to.equal("hello\n");
  });

  it("measures both paths", () => {
    const records = run("client", "measure")
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line));
    // One interval a second, or a little less often where the machine is slow.
    expect(records.map(({ type }) => type).join()).to.match(/^(?:interval,)+result$/);
    const { bytes, subflows } = records.at(-1) as { bytes: number; subflows: { name: string; bytes: number }[] };
    expect(bytes).to.be.greaterThan(1_000_000);
    expect(new Set(subflows.map(({ name }) => name.split(" ")[0]))).to.deep.equal(new Set(["wlan0", "wwan0"]));
  });

  it("measures what it receives, too", async () => {
    const { code, output } = await call("client", `measure 10.77.1.12 19 --receive --duration 2 ${ofClient}`).ended;
    expect(code).to.equal(0);
    expect(JSON.parse(output.trim().split("\n").at(-1)!).bytes).to.be.greaterThan(1_000_000);
  });

  it("lets a scheduler of one's own carry it", async () => {
    const directory = mkdtempSync(join(tmpdir(), "pathlab-own-scheduler-"));
    try {
      const file = join(directory, "first-only.ts");
      writeFileSync(
        file,
        `interface One { readonly usable: boolean; readonly space: number }
        export const scheduler = () => ({
          name: "first-only",
          select<T extends One>(subflows: readonly T[]): T | undefined {
            const first = subflows.find(({ usable }) => usable);
            return first !== undefined && first.space > 0 ? first : undefined;
          },
        });`,
      );
      const { code, output } = await call("client", `measure 10.77.1.12 9 --duration 2 ${ofClient} --scheduler ${file}`)
        .ended;
      expect(code).to.equal(0);
      const { subflows } = JSON.parse(output.trim().split("\n").at(-1)!) as { subflows: { bytes: number }[] };
      const [first, second] = subflows.map(({ bytes }) => bytes);
      expect(first).to.be.greaterThan(1_000_000);
      // What is left at the end may go out twice.
      expect(second).to.be.lessThan(first! / 2);
    } finally {
      rmSync(directory, { recursive: true });
    }
  });

  it("carries a file, and says so when the receiver has it", async () => {
    tried.add("server receive");
    const receiver = start("server", "receive");
    await receiver.says("listening");
    const sent = JSON.parse(run("client", "send"));
    const { code, output } = await receiver.ended;
    const { type, bytes, sha256 } = JSON.parse(output);
    const file = readFileSync(join(root, "build/received"));
    expect([code, type, bytes]).to.deep.equal([0, "received", file.length]);
    expect(sent).to.include({ type: "sent", bytes, sha256 });
    expect(sha256).to.equal(
      createHash("sha256")
        .update(readFileSync(join(root, "build/endpoint.cjs")))
        .digest("hex"),
    );
    expect(file.equals(readFileSync(join(root, "build/endpoint.cjs")))).to.equal(true);
  });

  it("pipes what a shell gives, in both directions, with half-close", async () => {
    const listener = new Running(
      machines.spawn("server", `echo answer | ${program} listen 5001 --interface eth0=10.77.1.14/24`),
    );
    await listener.says("listening");
    const caller = new Running(
      machines.spawn("client", `echo question | ${program} connect 10.77.1.14 5001 ${ofClient}`),
    );
    expect((await caller.ended).output).to.equal("answer\n");
    expect((await listener.ended).output).to.equal("question\n");
  });

  it("speaks with the kernel's TCP at the other end", async () => {
    const server = machines.application(
      "server",
      `require("node:net").createServer((socket) => socket.on("data", (data) => socket.end("heard " + data)))
        .listen(8000, "10.77.1.2", () => console.log("listening"));
      process.stdin.on("data", () => {}).on("end", () => process.exit());`,
    );
    await server.line();
    const caller = new Running(machines.spawn("client", `echo word | ${program} connect 10.77.1.2 8000 ${ofClient}`));
    expect(await caller.ended).to.include({ code: 0, output: "heard word\n" });
    expect(caller.log.find(({ message }) => message === "mptcp:fallback")).to.include({ reason: "peer-without-mptcp" });
    await server.end();
  });

  it("speaks Multipath TCP with Linux's at the other end, under a program that knows nothing of it", async () => {
    const server = machines.application(
      "server",
      `require("node:net").createServer((socket) => socket.on("data", (data) => socket.end("heard " + data)))
        .listen(8000, "10.77.1.2", () => console.log("listening"));
      process.stdin.on("data", () => {}).on("end", () => process.exit());`,
      ["mptcpize", "run"],
    );
    expect(await server.line()).to.equal("listening");
    const caller = new Running(machines.spawn("client", `echo word | ${program} connect 10.77.1.2 8000 ${ofClient}`));
    const { code, output, log } = await caller.ended;
    expect({ code, output }).to.deep.equal({ code: 0, output: "heard word\n" });
    expect(log.find(({ message }) => message === "connection:established")).to.include({ mptcp: true });
    expect(log.map(({ message }) => message)).not.to.include("mptcp:fallback");
    await server.end();
  });

  it("serves Linux's Multipath TCP, under a program that knows nothing of it", async () => {
    const client = machines.application(
      "client",
      `const socket = require("node:net").connect(7, "10.77.1.12", () => socket.write("word\\n"));
      socket.on("data", (data) => console.log("heard " + data.toString().trim()));
      process.stdin.on("data", () => {}).on("end", () => socket.end());`,
      ["mptcpize", "run"],
    );
    expect(await client.line()).to.equal("heard word");
    // Of those before, the last may take its time to close.
    const { connections: all } = await connections(
      (each) => each.filter(({ state }) => state === "established").length === 1,
    );
    expect(all.filter(({ state }) => state === "established").map(({ mptcp }) => mptcp)).to.deep.equal([true]);
    await client.end();
    await connections((each) => each.every(({ state }) => state === "closed"));
  });

  it("tells its state, and nothing of connections that have ended", async () => {
    const caller = call("client", `connect 10.77.1.12 7 ${ofClient}`);
    // Further subflows come when data have shown that both sides speak MPTCP (RFC 8684 §3.1).
    caller.child.stdin!.write("a word");
    const host = await connections((all) =>
      all.some(
        ({ state, subflows }) =>
          state === "established" && subflows.filter(({ tcpi_state: one }) => one === 1).length === 2,
      ),
    );
    const [connection] = host.connections.filter(({ state }) => state === "established");
    expect(connection).to.include({ mptcp: true, mptcpi_subflows: 1 });
    expect(connection!.mptcpi_write_seq).to.be.a("string");
    expect(connection!.subflows.map(({ interfaceName, tcpi_state: state }) => [interfaceName, state])).to.deep.equal([
      ["eth0", 1],
      ["eth1", 1],
    ]);
    // How many frames a queue dropped while its reader got no processor lies with the machine.
    for (const { receiveDrops } of host.interfaces) expect(receiveDrops).to.be.at.least(0);
    expect(host.interfaces.map(({ interfaceName }) => interfaceName)).to.deep.equal(["eth0", "eth1"]);
    caller.child.stdin!.end();
    expect((await caller.ended).code).to.equal(0);
    await connections((all) => all.every(({ state }) => state === "closed"));
    const metrics = run("server", "metrics");
    expect(metrics).to.match(/^pathlab_host_connections\{host="serve"\} \d+$/m);
  });

  for (const [what, line, code, says] of [
    ["refused", `connect 10.77.1.12 8 ${ofClient}`, 1, "connect ECONNREFUSED 10.77.1.12:8"],
    ["without a route", `connect 192.0.2.1 8 ${ofClient}`, 1, "connect ENETUNREACH 192.0.2.1:8"],
    ["an address of the kernel", "connect 10.77.1.12 7 -i wlan0=10.77.1.1/24", 2, "the kernel has 10.77.1.1 on wlan0"],
    ["no such device", "connect 10.77.1.12 7 -i wlan7=10.77.1.11/24", 3, "`ip link` lists the interfaces"],
    [
      "an address that is not ours",
      `connect 10.77.1.12 7 --local-address 10.77.1.99 ${ofClient}`,
      2,
      "bind EADDRNOTAVAIL 10.77.1.99",
    ],
    [
      "a port for its status that is in use",
      `connect 10.77.1.12 7 --status 10.77.1.2:9 ${ofClient}`,
      3,
      "EADDRNOTAVAIL",
    ],
    ["a disk that is full", `connect 10.77.1.12 19 ${ofClient} > /dev/full`, 1, "ENOSPC: no space left on device"],
    ["a file that is not there", `send nowhere 10.77.1.12 9 ${ofClient}`, 2, "nowhere cannot be opened"],
  ] as const)
    it(`ends with ${code}, and says why: ${what}`, async () => {
      const ended = await call("client", line).ended;
      const last = ended.log.filter(({ level }) => level === "error").at(-1);
      expect(last?.message, JSON.stringify(ended)).to.contain(says);
      expect(ended.code).to.equal(code);
    });

  for (const [signal, code] of [
    ["SIGTERM", 143],
    ["SIGHUP", 129],
  ] as const)
    it(`ends with ${code} after ${signal}, and the peer is told`, async () => {
      const caller = call("client", `connect 10.77.1.12 7 ${ofClient}`);
      await caller.says("connected");
      caller.child.kill(signal);
      expect((await caller.ended).code).to.equal(code);
      await connections((all) => all.every(({ state }) => state === "closed"));
    });

  it("has no command on its page that this test has not run", () => {
    expect(machines.blocks.toSorted()).to.deep.equal([...tried].toSorted());
  });

  it("takes a device up again that was deleted and has come back under its name", async () => {
    const caller = call("client", `measure 10.77.1.12 9 --duration 600 --interval 0.2 ${ofClient}`);
    const established = (): number =>
      caller.log.filter(({ message }) => message === "mptcp:subflow-established").length;
    while (established() < 2) await once(caller.child.stderr!, "data");
    machines.deletePath(0);
    await caller.says("the interface wlan0 was deleted");
    machines.addPath(0);
    // The server's device has gone with its peer, and has come back with it.
    while (established() < 3) await once(caller.child.stderr!, "data");
    const before = machines.receivedBytes("server", 0);
    while (machines.receivedBytes("server", 0) - before < carriesAgain) await turn();
    caller.child.kill("SIGTERM");
    const { code, log } = await caller.ended;
    expect(code).to.equal(143);
    // Its kernel has got an address with it, which the stack leaves to the kernel.
    const used = log.flatMap(({ localAddress }) => localAddress ?? []);
    expect(used).to.include.members(["10.77.1.11", "10.77.2.11"]).and.not.include("10.77.1.1");
  });

  it("waits for a device that may come later, and says so", async () => {
    machines.deletePath(0);
    const optional = "--interface wlan0=10.77.1.11/24,optional --interface wwan0=10.77.2.11/24";
    const caller = call("client", `measure 10.77.2.12 9 --duration 600 --interval 0.2 ${optional}`);
    const established = (): number =>
      caller.log.filter(({ message }) => message === "mptcp:subflow-established").length;
    try {
      await caller.says("there is no interface wlan0 yet: its path waits for it");
      while (established() < 1) await once(caller.child.stderr!, "data");
    } finally {
      machines.addPath(0);
    }
    while (established() < 2) await once(caller.child.stderr!, "data");
    const before = machines.receivedBytes("server", 0);
    while (machines.receivedBytes("server", 0) - before < carriesAgain) await turn();
    caller.child.kill("SIGTERM");
    expect((await caller.ended).code).to.equal(143);
  });

  it("goes on when one of two devices is deleted, and ends with the right error when the last is", async () => {
    const caller = call("client", `measure 10.77.1.12 9 --duration 600 --interval 0.2 --close-timeout 1 ${ofClient}`);
    const established = (): number =>
      caller.log.filter(({ message }) => message === "mptcp:subflow-established").length;
    while (established() < 2) await once(caller.child.stderr!, "data");
    machines.deletePath(0);
    await caller.says("the interface wlan0 was deleted");
    const after = machines.receivedBytes("server", 1);
    while (machines.receivedBytes("server", 1) - after < 20_000_000) await turn();
    machines.deletePath(1);
    const { code, log } = await caller.ended;
    expect(code).to.equal(1);
    expect(log.at(-1)).to.include({ level: "error", code: "ETIMEDOUT" });
    // The server is told by nobody; its program lives on.
    expect(services.child.exitCode).to.equal(null);
  });
});

import { expect } from "chai";
import { execFileSync, spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { readFileSync, readdirSync } from "node:fs";
import path from "node:path";
import { createInterface } from "node:readline";
import { monotonicMicroseconds } from "../../../stack/io/clock.ts";
import type { LinkDirectionConfig } from "../link-direction.ts";
import type { MeasureConfig, MeasureLine } from "../measure/main.ts";
import type { EmulatorConfig, EmulatorLine } from "./protocol.ts";

const prefix = `plemu${process.pid}`;
const [left, middle, right] = [`${prefix}l`, `${prefix}m`, `${prefix}r`];
const namespacePath = (name: string) => `/run/netns/${name}`;
const ip = (...words: string[]) => execFileSync("ip", words.join(" ").split(" "), { stdio: "pipe" });

/** The ends of emulated links: host `w0` in left and right, emulator `wl`, `wr` in the middle; addresses 10.9.N.1 and 2. */
const linkNames = ["w", "g", "f", "t"];

class LineProcess<Line extends { type: string }> {
  readonly process: ChildProcess;
  readonly lines: AsyncIterableIterator<string>;

  constructor(main: string) {
    this.process = spawn(process.execPath, [path.join(import.meta.dirname, main)], {
      stdio: ["pipe", "pipe", "inherit"],
    });
    this.lines = createInterface({ input: this.process.stdout! })[Symbol.asyncIterator]();
  }

  say(value: unknown): void {
    this.process.stdin!.write(`${JSON.stringify(value)}\n`);
  }

  /** The next line of a type; others before it are passed over. */
  async hear<Type extends Line["type"]>(type: Type): Promise<Extract<Line, { type: Type }>> {
    for (;;) {
      const { value, done } = await this.lines.next();
      if (done) throw new Error(`ended without a line "${type}"`);
      const line = JSON.parse(value) as Line;
      if (line.type === type) return line as Extract<Line, { type: Type }>;
      if (line.type === "error") throw new Error(value);
    }
  }

  async end(): Promise<number | null> {
    this.process.stdin!.end();
    if (this.process.exitCode === null && this.process.signalCode === null) await once(this.process, "exit");
    return this.process.exitCode;
  }
}

/**
 * Round-trip times in milliseconds of datagrams between the kernels of both hosts, null for a lost one: one that has not come so long after the last was sent. Where none is to be lost
 * that is a matter of the machine.
 */
function roundTrips(link: number, count: number, patienceMilliseconds = 60_000): (number | null)[] {
  const client = `
    const socket = require("node:dgram").createSocket("udp4");
    const sent = [], times = Array(${count}).fill(null);
    let patience;
    const tell = () => { clearTimeout(patience); console.log(JSON.stringify(times)); socket.close(); };
    socket.on("message", (data) => {
      times[data[0]] = performance.now() - sent[data[0]];
      if (!times.includes(null)) tell();
    });
    socket.bind(0, () => {
      const timer = setInterval(() => {
        sent.push(performance.now());
        socket.send(Buffer.from([sent.length - 1]), 7007, "10.9.${link}.2");
        if (sent.length < ${count}) return;
        clearInterval(timer);
        patience = setTimeout(tell, ${patienceMilliseconds});
      }, 20);
    });`;
  return JSON.parse(execFileSync("ip", ["netns", "exec", left, process.execPath, "-e", client], { encoding: "utf8" }));
}

/** The one that the programs of this machine held up least: what the link does holds up each. */
function shortestOf(times: (number | null)[]): number {
  return Math.min(...times.map((time) => time ?? Infinity));
}

describe("the emulator between two namespaces", function () {
  this.timeout(300_000);
  let emulator: LineProcess<EmulatorLine>;
  let echo: ChildProcess;
  let nextId = 1;

  const wifi: LinkDirectionConfig = {
    rateBitsPerSecond: 8e6,
    queue: { timeMicroseconds: 80_000 },
    delayMicroseconds: 10_000,
    seed: 1,
  };
  const mobile: LinkDirectionConfig = {
    rateBitsPerSecond: 2e6,
    queue: { timeMicroseconds: 2_000_000 },
    delayMicroseconds: 75_000,
    loss: { kind: "bernoulli", probability: 0.02 },
    seed: 2,
  };
  const fast: LinkDirectionConfig = { delayMicroseconds: 1000, seed: 3 };
  /** Until its trace begins it has the rate, which is no mean here so that the two can be told apart. */
  const traced: LinkDirectionConfig = {
    rateBitsPerSecond: 8e6,
    trace: { opportunitiesMilliseconds: [100] },
    queue: { packets: 1000 },
    seed: 4,
  };
  const configs = [wifi, mobile, fast, traced];
  const links = (side: "hosts" | "emulator") =>
    linkNames.map((name, i) => ({
      name,
      ends:
        side === "hosts"
          ? ([
              { namespacePath: namespacePath(left), interfaceName: `${name}0` },
              { namespacePath: namespacePath(right), interfaceName: `${name}0` },
            ] as const)
          : ([
              { namespacePath: namespacePath(middle), interfaceName: `${name}l` },
              { namespacePath: namespacePath(middle), interfaceName: `${name}r` },
            ] as const),
      forward: configs[i]!,
      backward: configs[i]!,
    }));
  const command = async (control: Record<string, unknown>) => {
    emulator.say({ id: nextId++, ...control });
    return await emulator.hear("answer");
  };
  before(async () => {
    for (const name of [left, middle, right]) ip("netns add", name);
    ip("netns exec", middle, "sysctl -qw net.ipv6.conf.all.disable_ipv6=1 net.ipv6.conf.default.disable_ipv6=1");
    for (const [i, name] of linkNames.entries())
      for (const [host, end, address] of [
        [left, "l", 1],
        [right, "r", 2],
      ] as const) {
        ip("link add", `${name}0`, "netns", host, "type veth peer name", `${name}${end}`, "netns", middle);
        execFileSync("ip", ["netns", "exec", host, "ethtool", "-K", `${name}0`, "tso", "off", "gso", "off"]);
        ip("-n", middle, "link set", `${name}${end}`, "up");
        ip("-n", host, "link set", `${name}0`, "up");
        ip("-n", host, "address add", `10.9.${i}.${address}/24 dev`, `${name}0`);
      }
    const server = `
      const socket = require("node:dgram").createSocket("udp4");
      socket.on("message", (data, { port, address }) => socket.send(data, port, address));
      socket.bind(7007, () => console.log("bound"));`;
    echo = spawn("ip", ["netns", "exec", right, process.execPath, "-e", server], {
      stdio: ["ignore", "pipe", "inherit"],
    });
    await once(echo.stdout!, "data");
    emulator = new LineProcess("main.ts");
    emulator.say({ links: links("emulator") } satisfies EmulatorConfig);
    await emulator.hear("ready");
  });

  after(async () => {
    await emulator.end();
    echo.kill();
    await once(echo, "exit");
    for (const name of [left, middle, right]) ip("netns del", name);
  });

  it("lets V8's helper threads run before any main thread: emulators that wait for theirs on every processor must not starve them", () => {
    const pid = emulator.process.pid!;
    const priorities = new Map(
      readdirSync(`/proc/${pid}/task`).map((thread) => {
        const fields = readFileSync(`/proc/${pid}/task/${thread}/stat`, "utf8")
          .replace(/^.*\) /, "")
          .split(" ");
        // Fields 40 (rt_priority) and 41 (policy; 1: SCHED_FIFO) of proc_pid_stat(5), counted after pid and name.
        return [Number(thread), { priority: Number(fields[37]), policy: Number(fields[38]) }];
      }),
    );
    const main = priorities.get(pid)!;
    priorities.delete(pid);
    expect(main).to.deep.equal({ priority: 10, policy: 1 });
    expect(priorities.size).to.be.greaterThan(0);
    for (const helper of priorities.values()) {
      if (helper.policy === 1) expect(helper.priority).to.equal(11);
    }
    expect([...priorities.values()].some(({ policy }) => policy === 1)).to.equal(true);
  });

  it("carries ARP and IPv4 with the link's delay", () => {
    const times = roundTrips(0, 20);
    expect(times).not.to.include(null);
    expect(shortestOf(times)).to.be.within(20, 30);
  });

  it("measures as configured: rate within 2 %, delay within 0.5 ms, loss within its interval", async () => {
    const measure = new LineProcess<MeasureLine>("../measure/main.ts");
    // A busy machine disturbs single attempts.
    measure.say({ links: links("hosts"), attempts: 10 } satisfies MeasureConfig);
    for (let i = 0; i < 2 * linkNames.length; i++) {
      const measurement = await measure.hear("measurement");
      expect(measurement.withinTolerance, JSON.stringify(measurement)).to.equal(true);
    }
    await measure.hear("done");
    expect(await measure.end()).to.equal(0);
  });

  it("tells when a link is not as configured", async () => {
    const measure = new LineProcess<MeasureLine>("../measure/main.ts");
    const [link] = links("hosts");
    const wrong = { ...link!, forward: { ...wifi, rateBitsPerSecond: 8.4e6, delayMicroseconds: 9000 } };
    measure.say({ links: [wrong], attempts: 5 } satisfies MeasureConfig);
    const both = [await measure.hear("measurement"), await measure.hear("measurement")];
    const forward = both.find(({ direction }) => direction === "forward")!;
    expect(forward.withinTolerance).to.equal(false);
    const told = forward.attempts.filter(
      ({ rateBitsPerSecond, delayMicroseconds }) =>
        Math.abs(rateBitsPerSecond! / 8e6 - 1) < 0.02 && delayMicroseconds >= 9500 && delayMicroseconds <= 11_000,
    );
    expect(told, JSON.stringify(forward.attempts)).to.not.deep.equal([]);
    await measure.end();
  });

  it("is a blackhole and comes back", async () => {
    expect(await command({ do: "blackhole", link: "w", direction: "both" })).to.include({ ok: true });
    expect(roundTrips(0, 3, 300)).to.deep.equal([null, null, null]);
    expect(await command({ do: "restore", link: "w", direction: "both" })).to.include({ ok: true });
    expect(roundTrips(0, 5)).not.to.include(null);
  });

  it("changes its delay while it runs", async () => {
    await command({ do: "set", link: "w", direction: "both", config: { ...wifi, delayMicroseconds: 40_000 } });
    expect(shortestOf(roundTrips(0, 10))).to.be.within(80, 95);
    await command({ do: "set", link: "w", direction: "both", config: wifi });
  });

  it("begins a trace at the time that it is told, and none in the past", async () => {
    const late = await command({ do: "begin-traces", timeMicroseconds: monotonicMicroseconds() - 1000 });
    expect(late).to.include({ ok: false });
    expect(shortestOf(roundTrips(3, 5))).to.be.below(50);
    const begun = await command({ do: "begin-traces", timeMicroseconds: monotonicMicroseconds() + 100_000 });
    expect(begun).to.include({ ok: true });
    // The answer just misses the opportunity at which its question arrives. The first questions may still come before the zero.
    expect(roundTrips(3, 10).at(-1)).to.be.above(90);
  });

  it("refuses a link that it does not have, and goes on", async () => {
    const answer = await command({ do: "blackhole", link: "lte", direction: "both" });
    expect(answer).to.deep.include({ ok: false, message: 'no link "lte" here, only w, g, f, t' });
  });

  it("reports what passed and what it lost, and how late it was", async () => {
    await command({ do: "stats", everyMicroseconds: 10_000 });
    const first = await emulator.hear("stats");
    expect(first).to.include({ link: "w", direction: "forward", rateBitsPerSecond: 8e6, dropsMemory: 0 });
    expect(first.packets).to.be.above(30);
    expect(first.dropsBlackhole).to.be.above(0);
    await command({ do: "stats", everyMicroseconds: 0 });
    const answer = await command({ do: "quality" });
    expect(answer).to.have.nested.property("quality.releases").that.is.above(1000);
  });

  it("outlives an interface that goes down and comes back", async () => {
    ip("-n", left, "link set w0 down");
    ip("-n", left, "link set w0 up");
    expect(roundTrips(0, 5)).not.to.include(null);
  });

  it("warns when a sender leaves segmentation to a device that is not there", async () => {
    execFileSync("ip", ["netns", "exec", left, "ethtool", "-K", "f0", "tso", "on", "gso", "on"]);
    const pour = `require("node:net").connect(7007, "10.9.2.2", function () {
      this.end(Buffer.alloc(500_000), () => this.destroy());
    }).on("error", () => {})`;
    const sink = `require("node:net").createServer((socket) => socket.resume().on("error", () => {}))
      .listen(7007, () => console.log("listening"))`;
    const receiver = spawn("ip", ["netns", "exec", right, process.execPath, "-e", sink], {
      stdio: ["ignore", "pipe", "inherit"],
    });
    await once(receiver.stdout, "data");
    const sender = spawn("ip", ["netns", "exec", left, process.execPath, "-e", pour], { stdio: "ignore" });
    const ended = Promise.all([once(sender, "exit"), once(receiver, "exit")]);
    const warning = await emulator.hear("warning");
    expect(warning).to.include({ link: "f", direction: "forward" });
    expect(warning.message).to.match(/^a frame of \d{4,5} bytes is longer than the MTU allows/);
    for (const child of [sender, receiver]) child.kill();
    await ended;
  });

  it("ends with its last figures when its stdin does", async () => {
    emulator.process.stdin!.end();
    const last = await emulator.hear("quality");
    expect(last.links).to.have.length(8);
    expect(await emulator.end()).to.equal(0);
  });
});

import { expect } from "chai";
import { execFileSync, spawn, type ChildProcess } from "node:child_process";
import { createHash, randomBytes } from "node:crypto";
import { once } from "node:events";
import { createInterface } from "node:readline";
import type { StackEvent } from "../events.ts";
import { Host } from "../host.ts";
import { connect, createServer } from "../net/net.ts";
import { Driver } from "../io/driver.ts";
import { removeLeftNamespaces } from "../testing/left-namespaces.ts";
import { askForMptcpPatiently } from "../testing/patient-kernel.ts";

/*
 * ours t0 ── r0 router r1 ── k0 kernel     both families, the router's further link takes 1300 bytes
 * ours t1 ────────────────── k1 kernel     IPv6
 */
const prefix = `plv6${process.pid}`;
const [ours, router, kernel] = [`${prefix}a`, `${prefix}r`, `${prefix}k`];
const namespaces = [ours, router, kernel];
const ip = (...words: string[]) => execFileSync("ip", words.join(" ").split(" "), { stdio: "pipe" });
const inside = (namespace: string, ...words: string[]) =>
  execFileSync("ip", ["netns", "exec", namespace, ...words], { stdio: "pipe" }).toString();
const sha256 = (bytes: Uint8Array) => createHash("sha256").update(bytes).digest("hex");

/** Answers what it gets with the hash of it and the same bytes; says from where it came. */
const echoServer = `
  require("node:net").createServer({ allowHalfOpen: true }, (socket) => {
    const chunks = [];
    console.log("from " + socket.remoteAddress);
    socket.on("data", (chunk) => chunks.push(chunk)).on("error", (error) => console.log("error " + error.code)).on("end", () => {
      const all = Buffer.concat(chunks);
      socket.end(Buffer.concat([Buffer.from(require("node:crypto").createHash("sha256").update(all).digest("hex")), all]));
    });
  }).listen(7000, () => console.log("listening"));`;

/** Sends 2 MiB to the address and port given, the second half when it is told, and prints the hash of what comes back when the other has ended. */
const client = `
  const [host, port] = process.argv.slice(1);
  const bytes = Buffer.alloc(2 << 20, "0123456789abcdef");
  const hash = require("node:crypto").createHash("sha256");
  let count = 0;
  const socket = require("node:net").connect({ host, port: Number(port) }, () => socket.write(bytes.subarray(0, 1 << 20)));
  process.stdin.once("data", () => { process.stdin.destroy(); socket.end(bytes.subarray(1 << 20)); });
  socket.on("data", (chunk) => { hash.update(chunk); count += chunk.length; })
    .on("end", () => console.log("got " + count + " " + hash.digest("hex")))
    .on("error", (error) => console.log("error " + error.code));`;

describe("our stack on wires with the kernel's IPv6", function () {
  this.timeout(300_000);
  let driver: Driver;
  let server: ChildProcess;
  let lines: AsyncIterator<string>;
  const events: StackEvent[] = [];
  let onEvent = (): void => {};

  before(async () => {
    removeLeftNamespaces("plv6");
    for (const name of namespaces) {
      ip("netns add", name);
      inside(name, "sysctl", "-qw", "net.ipv6.conf.all.accept_dad=0", "net.ipv6.conf.default.accept_dad=0");
    }
    const veth = (a: string, inA: string, b: string, inB: string, address: string): void => {
      ip("link add", a, "netns", inA, `address ${address} type veth peer name`, b, "netns", inB);
    };
    veth("t0", ours, "r0", router, "02:00:00:00:06:01");
    veth("t1", ours, "k1", kernel, "02:00:00:00:08:01");
    veth("k0", kernel, "r1", router, "02:00:00:00:07:02");
    for (const name of ["t0", "t1"]) inside(ours, "sysctl", "-qw", `net.ipv6.conf.${name}.disable_ipv6=1`);
    for (const name of namespaces) {
      for (const line of ip("-n", name, "-o link show type veth").toString().trim().split("\n"))
        ip("-n", name, "link set", /: ([a-z0-9]+)@/.exec(line)![1]!, "up");
    }
    inside(router, "sysctl", "-qw", "net.ipv4.ip_forward=1", "net.ipv6.conf.all.forwarding=1");
    askForMptcpPatiently(kernel);
    ip("-n", router, "address add 10.6.0.254/24 dev r0");
    ip("-n", router, "address add fe80::fe/64 dev r0 nodad");
    ip("-n", router, "address add fd00:6::fe/64 dev r0 nodad");
    ip("-n", router, "address add 10.7.0.254/24 dev r1");
    ip("-n", router, "address add fd00:7::fe/64 dev r1 nodad");
    ip("-n", kernel, "address add 10.7.0.2/24 dev k0");
    ip("-n", kernel, "address add fd00:7::2/64 dev k0 nodad");
    ip("-n", kernel, "address add fd00:8::2/64 dev k1 nodad");
    ip("-n", kernel, "route add default via 10.7.0.254");
    ip("-n", kernel, "route add default via fd00:7::fe");
    ip("-n", kernel, "mptcp limits set subflow 8 add_addr_accepted 8");
    ip("-n", kernel, "mptcp endpoint add fd00:8::2 dev k1 signal");
    driver = new Driver({
      host: new Host({
        name: "ours",
        random: () => randomBytes(4).readUInt32LE(),
        interfaces: [
          {
            name: "t0",
            mac: "02:00:00:00:06:01",
            mtu: 1500,
            gso: true,
            addresses: [
              { address: "10.6.0.1", prefixLength: 24 },
              { address: "fd00:6::1", prefixLength: 64 },
            ],
            gateway: "10.6.0.254",
            ipv6Gateway: "fe80::fe",
          },
          {
            name: "t1",
            mac: "02:00:00:00:08:01",
            mtu: 1500,
            gso: true,
            addresses: [{ address: "fd00:8::1", prefixLength: 64 }],
          },
        ],
        mptcp: true,
        congestionControl: "reno",
        scheduler: "min-rtt",
        pathManager: "full-mesh",
      }),
      interfaces: ["t0", "t1"].map((interfaceName) => ({ interfaceName, namespacePath: `/run/netns/${ours}` })),
      onEvent: (event) => {
        events.push(event);
        onEvent();
      },
    });
    server = spawn("ip", ["netns", "exec", kernel, "mptcpize", "run", process.execPath, "-e", echoServer], {
      stdio: ["ignore", "pipe", "inherit"],
    });
    lines = createInterface({ input: server.stdout! })[Symbol.asyncIterator]();
    expect((await lines.next()).value).to.equal("listening");
  });

  after(async () => {
    driver.close();
    server.kill();
    await once(server, "exit");
    for (const name of namespaces) ip("netns del", name);
  });

  afterEach(() => void events.splice(0));

  /** Sends `bytes` to the kernel's server, half of them over `subflows` subflows, and checks what it says of them, and the bytes that it sends back. */
  async function exchange(host: string, bytes: Buffer, subflows = 1): Promise<string> {
    const chunks: Buffer[] = [];
    const socket = connect(driver, { host, port: 7000 });
    socket.on("data", (chunk: Buffer) => chunks.push(chunk));
    // Who has heard that nothing more will come takes no join any more.
    socket.write(bytes.subarray(0, bytes.length / 2));
    await new Promise<void>((resolve) => {
      onEvent = () => pairs().length >= subflows && resolve();
      onEvent();
    });
    socket.end(bytes.subarray(bytes.length / 2));
    await once(socket, "close");
    const answer = Buffer.concat(chunks);
    expect(answer.subarray(0, 64).toString()).to.equal(sha256(bytes));
    expect(sha256(answer.subarray(64))).to.equal(sha256(bytes));
    return (await lines.next()).value as string;
  }

  /** The kernel's MPTCP counter. */
  const counter = (name: string): number =>
    Number(new RegExp(`MPTcpExt${name}\\s+(\\d+)`).exec(inside(kernel, "nstat", "-asz", `MPTcpExt${name}`))![1]);

  const pairs = (): string[] =>
    events
      .filter((event) => event.name === "mptcp:subflow-established")
      .map(({ localAddress, remoteAddress }) => `${localAddress}>${remoteAddress}`);

  it("reaches beyond a link-local router, and learns the path's MTU from its ICMPv6", async () => {
    ip("-n", router, "link set r1 mtu 1300");
    try {
      const before = Number(
        /Icmp6OutPktTooBigs\s+(\d+)/.exec(inside(router, "nstat", "-asz", "Icmp6OutPktTooBigs"))![1],
      );
      expect(await exchange("fd00:7::2", randomBytes(2 << 20))).to.equal("from fd00:6::1");
      const told = Number(/Icmp6OutPktTooBigs\s+(\d+)/.exec(inside(router, "nstat", "-asz", "Icmp6OutPktTooBigs"))![1]);
      expect(told - before).to.be.above(0);
    } finally {
      ip("-n", router, "link set r1 mtu 1500");
    }
  });

  it("joins over IPv6 what began over IPv4, at the address that the kernel advertised", async () => {
    const joins = counter("MPJoinAckRx");
    expect(await exchange("10.7.0.2", randomBytes(4 << 20), 2)).to.equal("from ::ffff:10.6.0.1");
    expect(pairs()).to.include.members(["10.6.0.1>10.7.0.2", "fd00:8::1>fd00:8::2"]);
    expect(counter("MPJoinAckRx") - joins).to.be.above(0);
    expect(["MPCapableFallbackACK", "MPJoinAckHMacFailure", "DSSNoMatchTCP"].map(counter)).to.deep.equal([0, 0, 0]);
    expect(ip("-n", kernel, "-6 neighbour show fd00:8::1 dev k1").toString()).to.contain("02:00:00:00:08:01");
  });

  it("takes ::ffff:a.b.c.d for IPv4", async () => {
    expect(await exchange("::ffff:10.7.0.2", randomBytes(1000))).to.equal("from ::ffff:10.6.0.1");
  });

  for (const { to, first, joined } of [
    { to: "fd00:8::1", first: "fd00:8::1", joined: /^10\.6\.0\.1$/ },
    { to: "::ffff:10.6.0.1", first: "10.6.0.1", joined: /^fd00:[68]::1$/ },
  ])
    it(`serves the kernel that connects to ${to} and joins over the other family, where ADD_ADDR led it`, async () => {
      const added = counter("AddAddr");
      const echo = createServer(driver, {}, (socket) => {
        socket.on("data", (chunk: Buffer) => void socket.write(chunk)).on("end", () => socket.end());
      });
      echo.listen({ port: 7100, host: "::" });
      const kernelClient = spawn(
        "ip",
        ["netns", "exec", kernel, "mptcpize", "run", process.execPath, "-e", client, to, "7100"],
        { stdio: ["pipe", "pipe", "inherit"] },
      );
      const locals = () =>
        events.filter((event) => event.name === "mptcp:subflow-established").map(({ localAddress }) => localAddress);
      // Who has ended joins no more: not before it has, on a busy machine.
      await new Promise<void>((resolve) => {
        onEvent = () => locals().some((address) => joined.test(address)) && resolve();
        onEvent();
      });
      kernelClient.stdin.write("go on");
      const said = (await createInterface({ input: kernelClient.stdout })[Symbol.asyncIterator]().next())
        .value as string;
      expect(said).to.equal(`got ${2 << 20} ${sha256(Buffer.alloc(2 << 20, "0123456789abcdef"))}`);
      expect(locals()[0]).to.equal(first);
      expect(counter("AddAddr") - added).to.be.above(0);
      echo.close();
    });
});

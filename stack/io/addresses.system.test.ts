/** Addresses that the kernel's interface gets and loses while a connection lives. */

import { expect } from "chai";
import { execFileSync, spawn, type ChildProcess } from "node:child_process";
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { Host, NetworkError } from "../host.ts";
import type { Connection } from "../mptcp/connection.ts";
import { removeLeftNamespaces } from "../testing/left-namespaces.ts";
import { Driver, type DriverProblem } from "./driver.ts";

const prefix = `pladr${process.pid}`;
const [stackSide, kernelSide] = [`${prefix}a`, `${prefix}b`];
const ip = (...words: string[]): string =>
  execFileSync("ip", words.join(" ").split(" "), { stdio: "pipe", encoding: "utf8" });

/** Takes all that comes. */
const server = `
  require("node:net").createServer((socket) => socket.resume().on("error", () => {}))
    .listen({ port: 7000, host: "::" }, () => console.log("listening"));`;

async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await new Promise((resolve) => setImmediate(resolve));
}

describe("addresses of the kernel, followed by the driver", function () {
  this.timeout(300_000);
  let driver: Driver;
  let kernel: ChildProcess;
  let connection: Connection;
  const problems: DriverProblem[] = [];

  before(async () => {
    removeLeftNamespaces("pladr");
    for (const name of [stackSide, kernelSide]) ip("netns add", name);
    ip("link add a0 netns", stackSide, "address 02:00:00:00:00:01 type veth peer name a0 netns", kernelSide);
    for (const name of [stackSide, kernelSide]) ip("-n", name, "link set a0 up");
    ip("-n", kernelSide, "address add 10.8.0.2/24 dev a0");
    ip("-n", kernelSide, "address add fd00:8::2/64 dev a0 nodad");
    ip("-n", kernelSide, "mptcp limits set subflow 8 add_addr_accepted 8");
    // The kernel of the stack's side would reset what it knows nothing of; it hears who has an address (RFC 4862 §5.4).
    const answers = "icmpv6 type nd-neighbor-advert accept;";
    const rules = `table inet t { chain c { type filter hook input priority 0; policy drop; ${answers} }; }`;
    execFileSync("ip", ["netns", "exec", stackSide, "nft", rules], { stdio: "pipe" });
    kernel = spawn("ip", ["netns", "exec", kernelSide, "mptcpize", "run", process.execPath, "-e", server], {
      stdio: ["ignore", "pipe", "inherit"],
    });
    const lines = createInterface({ input: kernel.stdout! })[Symbol.asyncIterator]();
    expect((await lines.next()).value).to.equal("listening");
    driver = new Driver({
      host: new Host({
        name: "ours",
        random: () => randomBytes(4).readUInt32LE(),
        interfaces: [
          {
            name: "a0",
            mac: "02:00:00:00:00:01",
            mtu: 1500,
            gso: true,
            addresses: [{ address: "10.8.0.1", prefixLength: 24 }],
          },
        ],
        mptcp: true,
        congestionControl: "lia",
        scheduler: "min-rtt",
        pathManager: "full-mesh",
      }),
      interfaces: [{ interfaceName: "a0", namespacePath: `/run/netns/${stackSide}` }],
      onProblem: (problem) => void problems.push(problem),
    });
    connection = driver.host.connect({ remoteAddress: "10.8.0.2", remotePort: 7000 }, driver.now());
    keepSending();
    await until(() => connection.info().bytesAcked > 1_000_000);
  });

  after(async () => {
    driver.close();
    kernel.kill();
    await once(kernel, "exit");
    for (const name of [stackSide, kernelSide]) ip("netns del", name);
  });

  function keepSending(): void {
    const chunk = new Uint8Array(65_536);
    const write = (): void => {
      while (!connection.closed && connection.write(chunk, driver.now()) === chunk.length);
      driver.wake();
    };
    const ignore = (): void => {};
    connection.observer = {
      onEstablished: write,
      onWritable: write,
      onReadable: ignore,
      onRemoteEnd: ignore,
      onClosed: ignore,
    };
    driver.wake();
  }

  function established(): string[] {
    const { subflows } = connection.info();
    return subflows
      .filter(({ state }) => state === "established")
      .map(({ localAddress }) => localAddress)
      .sort();
  }

  function hostHas(address: string): boolean {
    try {
      driver.host.listen({ port: 7001, address }, driver.now()).close(driver.now());
      return true;
    } catch (error) {
      expect(error).to.be.instanceOf(NetworkError).with.property("code", "EADDRNOTAVAIL");
      return false;
    }
  }

  function counter(name: string): number {
    const text = execFileSync("ip", ["netns", "exec", kernelSide, "nstat", "-az", name], { encoding: "utf8" });
    return Number(new RegExp(`${name}\\s+(\\d+)`).exec(text)![1]);
  }

  it("one that comes in mid-transfer gets a subflow, and carries data", async () => {
    ip("-n", stackSide, "address add 10.8.0.3/24 dev a0");
    await until(() => established().length === 2);
    expect(established()).to.deep.equal(["10.8.0.1", "10.8.0.3"]);
    await until(() => connection.info().subflows.every(({ bytesAcked }) => bytesAcked > 100_000));
    expect(counter("MPTcpExtMPJoinAckRx")).to.equal(1);
    expect(problems).to.deep.equal([]);
  });

  it("one that goes takes its subflow along, the peer is told, and the transfer goes on", async () => {
    ip("-n", stackSide, "address del 10.8.0.3/24 dev a0");
    await until(() => established().length === 1);
    const { bytesAcked } = connection.info();
    await until(() => connection.info().bytesAcked > bytesAcked + 1_000_000);
    expect(counter("MPTcpExtRmAddr")).to.equal(1);
    expect(established()).to.deep.equal(["10.8.0.1"]);
  });

  it("one that the host has already is told of, and stays the host's when the kernel loses it", async () => {
    ip("-n", stackSide, "address add 10.8.0.1/24 dev a0");
    await until(() => problems.length > 0);
    expect(problems).to.deep.equal([
      {
        type: "address-refused",
        interfaceName: "a0",
        address: "10.8.0.1",
        reason: "10.8.0.1 is an address of ours already",
      },
    ]);
    ip("-n", stackSide, "address del 10.8.0.1/24 dev a0");
    ip("-n", stackSide, "address add 10.8.0.4/24 dev a0");
    await until(() => established().length === 2);
    expect(established()).to.deep.equal(["10.8.0.1", "10.8.0.4"]);
  });

  it("an IPv6 address comes when the kernel has seen that nobody else on the link has it", async () => {
    ip("-n", stackSide, "address add fd00:8::3/64 dev a0");
    await until(() => hostHas("fd00:8::3"));
    expect(ip("-n", stackSide, "-6 address show dev a0 tentative")).not.to.include("fd00:8::3");
  });

  it("one that somebody else on the link has does not come (RFC 4862 §5.4)", async () => {
    ip("-n", stackSide, "address add fd00:8::2/64 dev a0");
    await until(() => ip("-n", stackSide, "-6 address show dev a0").includes("dadfailed"));
    expect(hostHas("fd00:8::2")).to.equal(false);
  });
});

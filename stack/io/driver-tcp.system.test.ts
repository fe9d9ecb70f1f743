import { expect } from "chai";
import { execFileSync, spawn, type ChildProcess } from "node:child_process";
import { createHash, randomBytes } from "node:crypto";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { Host } from "../host.ts";
import type { Connection } from "../mptcp/connection.ts";
import { Driver } from "./driver.ts";
import { removeLeftNamespaces } from "../testing/left-namespaces.ts";

const prefix = `pltcp${process.pid}`;
const [stackSide, kernelSide] = [`${prefix}a`, `${prefix}b`];
const ip = (...words: string[]) => execFileSync("ip", words.join(" ").split(" "), { stdio: "pipe" });
const sha256 = (bytes: Uint8Array) => createHash("sha256").update(bytes).digest("hex");

/** The kernel's server: hashes what it gets, then sends a line with the hash and the same bytes back. */
const server = `
  require("node:net").createServer({ allowHalfOpen: true }, (socket) => {
    const chunks = [];
    socket.on("data", (chunk) => chunks.push(chunk)).on("end", () => {
      const all = Buffer.concat(chunks);
      socket.end(require("node:crypto").createHash("sha256").update(all).digest("hex") + all.toString("latin1"), "latin1");
    }).on("error", (error) => console.log("error " + error.code));
  }).listen(7000, () => console.log("listening"));`;

/** Writes all, closes, and returns all that came until the end. */
async function exchange(driver: Driver, connection: Connection, bytes: Uint8Array): Promise<Buffer> {
  const received: Uint8Array[] = [];
  let written = 0;
  await new Promise<void>((resolve, reject) => {
    const write = () => {
      while (written < bytes.length) {
        const taken = connection.write(bytes.subarray(written), driver.now());
        if (taken === 0) break;
        written += taken;
        if (written === bytes.length) connection.closeWrite(driver.now());
      }
      driver.wake();
    };
    const read = () => {
      for (let chunk = connection.read(driver.now()); chunk !== undefined; chunk = connection.read(driver.now()))
        received.push(chunk);
      driver.wake();
    };
    connection.observer = {
      onEstablished: write,
      onWritable: write,
      onReadable: read,
      onRemoteEnd: read,
      onClosed: (error) => (error === undefined ? resolve() : reject(new Error(error))),
    };
    driver.wake();
  });
  return Buffer.concat(received);
}

for (const { mptcp, gso, family } of [
  { mptcp: false, gso: true, family: "IPv4" },
  { mptcp: false, gso: false, family: "IPv4" },
  { mptcp: true, gso: true, family: "IPv4" },
  { mptcp: false, gso: true, family: "IPv6" },
  { mptcp: false, gso: false, family: "IPv6" },
  { mptcp: true, gso: true, family: "IPv6" },
  { mptcp: true, gso: false, family: "IPv6" },
])
  describe(`our stack ${gso ? "with" : "without"} segmentation offload to the kernel's ${mptcp ? "MPTCP" : "TCP"} over ${family}`, function () {
    const remoteAddress = family === "IPv4" ? "10.6.0.2" : "fd00:6::2";
    this.timeout(300_000);
    let driver: Driver;
    let kernel: ChildProcess;

    before(async () => {
      removeLeftNamespaces("pltcp");
      for (const name of [stackSide, kernelSide]) ip("netns add", name);
      ip("link add t0 netns", stackSide, "address 02:00:00:00:00:01 type veth peer name t0 netns", kernelSide);
      for (const name of [stackSide, kernelSide]) ip("-n", name, "link set t0 up");
      ip("-n", kernelSide, "address add 10.6.0.2/24 dev t0");
      ip("-n", kernelSide, "address add fd00:6::2/64 dev t0 nodad");
      const node = [process.execPath, "-e", server];
      kernel = spawn("ip", ["netns", "exec", kernelSide, ...(mptcp ? ["mptcpize", "run"] : []), ...node], {
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
              name: "t0",
              mac: "02:00:00:00:00:01",
              mtu: 1500,
              gso,
              addresses: [
                family === "IPv4"
                  ? { address: "10.6.0.1", prefixLength: 24 }
                  : { address: "fd00:6::1", prefixLength: 64 },
              ],
            },
          ],
          mptcp,
          congestionControl: "reno",
          scheduler: "min-rtt",
          pathManager: "full-mesh",
        }),
        interfaces: [{ interfaceName: "t0", namespacePath: `/run/netns/${stackSide}` }],
      });
    });

    after(async () => {
      driver.close();
      kernel.kill();
      await once(kernel, "exit");
      for (const name of [stackSide, kernelSide]) ip("netns del", name);
    });

    it("carries 8 MiB there and back without a wrong byte", async () => {
      const bytes = randomBytes(8 << 20);
      const connection = driver.host.connect({ remoteAddress, remotePort: 7000 }, driver.now());
      const answer = await exchange(driver, connection, bytes);
      expect(answer.subarray(0, 64).toString()).to.equal(sha256(bytes));
      expect(sha256(answer.subarray(64))).to.equal(sha256(bytes));
      expect(driver.counters()).to.deep.equal([
        { interfaceName: "t0", receiveDrops: 0, transmitOverruns: 0, transmitFailures: {} },
      ]);
      const counters = execFileSync("ip", ["netns", "exec", kernelSide, "nstat", "-az", "MPTcpExtMPCapableACKRX"]);
      expect(Number(/MPCapableACKRX\s+(\d+)/.exec(counters.toString())![1])).to.equal(mptcp ? 1 : 0);
    });

    it("learns that nobody listens", async () => {
      const connection = driver.host.connect({ remoteAddress, remotePort: 7001 }, driver.now());
      const error = await exchange(driver, connection, Buffer.from("x")).then(
        () => undefined,
        (reason: unknown) => (reason as Error).message,
      );
      expect(error).to.equal("ECONNREFUSED");
    });
  });

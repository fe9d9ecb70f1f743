/** TCP Fast Open and SYN cookies against the kernel, in both roles, with and without MPTCP. The kernel's counters judge. */

import { execFileSync, spawn, type ChildProcess } from "node:child_process";
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { expect } from "chai";
import { Host } from "../host.ts";
import type { Connection } from "../mptcp/connection.ts";
import type { TcpOptions } from "../tcp/tcp-options.ts";
import { removeLeftNamespaces } from "../testing/left-namespaces.ts";
import { Driver } from "./driver.ts";

const prefix = `plhs${process.pid}`;
const [stackSide, kernelSide] = [`${prefix}a`, `${prefix}b`];
const ip = (...words: string[]): void => void execFileSync("ip", words.join(" ").split(" "), { stdio: "pipe" });
const inKernel = (...words: string[]): string =>
  execFileSync("ip", ["netns", "exec", kernelSide, ...words], { stdio: "pipe" }).toString();

/** How often each has happened in the kernel's namespace. */
function counters(...names: string[]): Record<string, number> {
  const text = inKernel("nstat", "-az", ...names);
  return Object.fromEntries(names.map((name) => [name, Number(new RegExp(`${name}\\s+(\\d+)`).exec(text)?.[1])]));
}

/** The kernel's server: sends back what it gets, once it has the end. */
const echo = `
  require("node:net").createServer({ allowHalfOpen: true }, (socket) => {
    const chunks = [];
    socket.on("data", (chunk) => chunks.push(chunk)).on("end", () => socket.end(Buffer.concat(chunks)));
  }).listen(7000, () => console.log("listening"));`;

/** The kernel's client: its first bytes go with the SYN if they may; it says what came back. */
const fastOpenClient = `
import socket, sys
def exchange(size, protocol):
    data = bytes(i * 7 % 251 for i in range(size))
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM, protocol) as s:
        sent = s.sendto(data, socket.MSG_FASTOPEN, ("10.6.1.1", 7100))
        s.settimeout(120)
        s.sendall(data[sent:])
        s.shutdown(socket.SHUT_WR)
        got = b""
        while True:
            chunk = s.recv(65536)
            if not chunk: break
            got += chunk
    print("same" if got == data else "other %d of %d" % (len(got), len(data)), flush=True)
for size in (1000, 1000, 20000):
    exchange(size, int(sys.argv[1]))
`;
const protocols = { tcp: "6", mptcp: "262" };

/** Writes all, ends, and returns what came until the end. */
async function exchange(driver: Driver, connection: Connection, bytes: Uint8Array): Promise<Buffer> {
  const received: Uint8Array[] = [];
  connection.write(bytes, driver.now());
  connection.closeWrite(driver.now());
  const closed = new Promise<void>((resolve, reject) => {
    const read = (): void => {
      for (let chunk = connection.read(driver.now()); chunk !== undefined; chunk = connection.read(driver.now()))
        received.push(chunk);
      driver.wake();
    };
    connection.observer = {
      onEstablished: () => {},
      onWritable: () => {},
      onReadable: read,
      onRemoteEnd: read,
      onClosed: (error) => (error === undefined ? resolve() : reject(new Error(error))),
    };
  });
  driver.wake();
  await closed;
  return Buffer.concat(received);
}

function ourDriver(mptcp: boolean, tcp: TcpOptions): Driver {
  const addresses = [{ address: "10.6.1.1", prefixLength: 24 }];
  return new Driver({
    host: new Host({
      name: "ours",
      random: () => randomBytes(4).readUInt32LE(),
      interfaces: [{ name: "t0", mac: "02:00:00:00:00:01", mtu: 1500, gso: true, addresses }],
      mptcp,
      congestionControl: "reno",
      scheduler: "min-rtt",
      pathManager: "full-mesh",
      tcp,
    }),
    interfaces: [{ interfaceName: "t0", namespacePath: `/run/netns/${stackSide}` }],
  });
}

/** Our server: sends back what it gets, once it has the end. */
function echoOn(driver: Driver, fastOpen: boolean): void {
  const listener = driver.host.listen({ port: 7100, fastOpen }, driver.now());
  listener.onConnection = () => {
    for (let next = listener.accept(); next !== undefined; next = listener.accept()) {
      const connection = next;
      const chunks: Uint8Array[] = [];
      const read = (): void => {
        for (let chunk = connection.read(driver.now()); chunk !== undefined; chunk = connection.read(driver.now()))
          chunks.push(chunk);
        driver.wake();
      };
      connection.observer = {
        onEstablished: () => {},
        onWritable: () => {},
        onReadable: read,
        onRemoteEnd: () => {
          read();
          connection.write(Buffer.concat(chunks), driver.now());
          connection.closeWrite(driver.now());
          driver.wake();
        },
        onClosed: () => {},
      };
      read();
    }
  };
}

for (const mptcp of [false, true]) {
  describe(`handshakes with the kernel's ${mptcp ? "MPTCP" : "TCP"}`, function () {
    this.timeout(300_000);
    let driver: Driver | undefined;
    let server: ChildProcess | undefined;

    beforeEach(() => {
      removeLeftNamespaces("plhs");
      for (const name of [stackSide, kernelSide]) ip("netns add", name);
      ip("link add t0 netns", stackSide, "address 02:00:00:00:00:01 type veth peer name t0 netns", kernelSide);
      for (const name of [stackSide, kernelSide]) ip("-n", name, "link set t0 up");
      ip("-n", kernelSide, "address add 10.6.1.2/24 dev t0");
    });

    afterEach(async () => {
      driver?.close();
      driver = undefined;
      if (server !== undefined) {
        server.kill();
        await once(server, "exit");
        server = undefined;
      }
      for (const name of [stackSide, kernelSide]) ip("netns del", name);
    });

    async function kernelServer(): Promise<void> {
      const words = ["netns", "exec", kernelSide, ...(mptcp ? ["mptcpize", "run"] : []), process.execPath, "-e", echo];
      server = spawn("ip", words, { stdio: ["ignore", "pipe", "inherit"] });
      const lines = createInterface({ input: server.stdout! })[Symbol.asyncIterator]();
      expect((await lines.next()).value).to.equal("listening");
    }

    it("the data of our SYN are taken by its server (RFC 7413)", async () => {
      // Client, server, and every listener.
      inKernel("sysctl", "-qw", "net.ipv4.tcp_fastopen=0x403");
      await kernelServer();
      driver = ourDriver(mptcp, {});
      for (const size of [1_000, 1_000, 20_000]) {
        const bytes = randomBytes(size);
        const connection = driver.host.connect(
          { remoteAddress: "10.6.1.2", remotePort: 7000, fastOpen: true },
          driver.now(),
        );
        expect((await exchange(driver, connection, bytes)).equals(bytes)).to.equal(true);
        expect(connection.info().mptcp).to.equal(mptcp);
      }
      expect(counters("TcpExtTCPFastOpenPassive", "TcpExtTCPFastOpenCookieReqd")).to.deep.equal({
        TcpExtTCPFastOpenPassive: 2,
        TcpExtTCPFastOpenCookieReqd: 1,
      });
    });

    it("the data of its SYN are taken by our server (RFC 7413)", async () => {
      inKernel("sysctl", "-qw", "net.ipv4.tcp_fastopen=1");
      driver = ourDriver(mptcp, {});
      echoOn(driver, true);
      const words = [
        "netns",
        "exec",
        kernelSide,
        "python3",
        "-c",
        fastOpenClient,
        mptcp ? protocols.mptcp : protocols.tcp,
      ];
      server = spawn("ip", words, { stdio: ["ignore", "pipe", "inherit"] });
      const lines: string[] = [];
      for await (const line of createInterface({ input: server.stdout! })) lines.push(line);
      expect(lines).to.deep.equal(["same", "same", "same"]);
      server = undefined;
      expect(counters("TcpExtTCPFastOpenActive", "MPTcpExtMPCapableSYNACKRX")).to.deep.equal({
        TcpExtTCPFastOpenActive: 2,
        MPTcpExtMPCapableSYNACKRX: mptcp ? 3 : 0,
      });
    });

    it("its cookies are answered by our client (RFC 4987)", async () => {
      inKernel("sysctl", "-qw", "net.ipv4.tcp_syncookies=2");
      await kernelServer();
      driver = ourDriver(mptcp, {});
      const bytes = randomBytes(100_000);
      const connection = driver.host.connect({ remoteAddress: "10.6.1.2", remotePort: 7000 }, driver.now());
      expect((await exchange(driver, connection, bytes)).equals(bytes)).to.equal(true);
      expect(connection.info().mptcp).to.equal(mptcp);
      expect(counters("TcpExtSyncookiesRecv", "TcpExtSyncookiesFailed")).to.deep.equal({
        TcpExtSyncookiesRecv: 1,
        TcpExtSyncookiesFailed: 0,
      });
    });

    it("our cookies are answered by its client (RFC 4987)", async () => {
      driver = ourDriver(mptcp, { synCookies: "always" });
      echoOn(driver, false);
      const words = [
        "netns",
        "exec",
        kernelSide,
        "python3",
        "-c",
        fastOpenClient,
        mptcp ? protocols.mptcp : protocols.tcp,
      ];
      server = spawn("ip", words, { stdio: ["ignore", "pipe", "inherit"] });
      const lines: string[] = [];
      for await (const line of createInterface({ input: server.stdout! })) lines.push(line);
      server = undefined;
      expect(lines).to.deep.equal(["same", "same", "same"]);
      if (mptcp) expect(counters("MPTcpExtMPCapableSYNACKRX")).to.deep.equal({ MPTcpExtMPCapableSYNACKRX: 3 });
    });
  });
}

import { expect } from "chai";
import { execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { Host, type ConnectionRequest } from "../host.ts";
import { Driver } from "./driver.ts";
import { removeLeftNamespaces } from "../testing/left-namespaces.ts";

const namespace = `plth${process.pid}`;
const ip = (...words: string[]) => execFileSync("ip", words.join(" ").split(" "), { stdio: "pipe" });

/** Runs a program of the kernel's sockets in the namespace; resolves to what it wrote. */
async function run(program: string): Promise<string> {
  const child = spawn("ip", ["netns", "exec", namespace, process.execPath, "-e", program], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  let said = "";
  child.stdout.setEncoding("utf8").on("data", (text: string) => (said += text));
  await once(child, "close");
  return said.trim();
}

/** Resolves when the condition holds; it is looked at after each turn of the event loop. */
async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await new Promise((resolve) => setImmediate(resolve));
}

describe("a host behind a TUN device", function () {
  this.timeout(300_000);
  let driver: Driver;
  let host: Host;
  const answers: ((request: ConnectionRequest) => void)[] = [];

  before(() => {
    removeLeftNamespaces("plth");
    ip("netns add", namespace);
    host = new Host({
      name: "everybody",
      random: () => Math.floor(Math.random() * 2 ** 32),
      mptcp: false,
      congestionControl: "reno",
      scheduler: "min-rtt",
      pathManager: "full-mesh",
      interfaces: [{ name: "tun0", mac: "02:00:00:00:00:01", mtu: 1500, gso: true, addresses: [], transparent: true }],
    });
    const namespacePath = `/run/netns/${namespace}`;
    driver = new Driver({ host, interfaces: [{ interfaceName: "tun0", namespacePath, device: "tun" }] });
    ip("-n", namespace, "address add 10.8.0.1/24 dev tun0");
    ip("-n", namespace, "address add fd00:8::1/64 dev tun0 nodad");
    ip("-n", namespace, "link set tun0 up");
    ip("-n", namespace, "route add default dev tun0");
    ip("-n", namespace, "-6 route add default dev tun0");
    host.listenTransparently().onRequest = (request) => answers.shift()?.(request);
  });

  after(() => {
    driver.close();
    ip("netns del", namespace);
  });

  for (const [family, address] of [
    ["IPv4", "192.0.2.80"],
    ["IPv6", "2001:db8::80"],
  ] as const) {
    it(`is whomever an application of the kernel connects to, with super-packets both ways (${family})`, async () => {
      const bytes = 4_000_000;
      let received = 0;
      answers.push((request) => {
        const connection = request.accept(driver.now())!;
        const chunk = new Uint8Array(bytes).fill(7);
        let sent = 0;
        const send = (): void => {
          if (sent < bytes) sent += connection.write(chunk.subarray(sent), driver.now());
          if (sent === bytes) connection.closeWrite(driver.now());
          driver.wake();
        };
        connection.observer = {
          onEstablished: send,
          onWritable: send,
          onReadable: () => {
            for (let next = connection.read(driver.now()); next !== undefined; next = connection.read(driver.now()))
              received += next.length;
            driver.wake();
          },
          onRemoteEnd: () => undefined,
          onClosed: () => undefined,
        };
        driver.wake();
      });
      const said = await run(`
        let received = 0, address;
        const socket = require("node:net").connect({ host: "${address}", port: 80, allowHalfOpen: true });
        socket.on("connect", () => (address = socket.remoteAddress));
        socket.on("data", (data) => (received += data.length));
        socket.on("end", () => console.log(received, address));
        socket.end(Buffer.alloc(${bytes}));`);
      expect(said).to.equal(`${bytes} ${address}`);
      // What its program wrote, the kernel may still be sending.
      await until(() => received >= bytes);
      expect(received).to.equal(bytes);
    });
  }

  it("refuses", async () => {
    answers.push((request) => {
      request.refuse(driver.now());
      driver.wake();
    });
    const program = `require("node:net").connect(81, "192.0.2.80").on("error", (error) => console.log(error.code));`;
    expect(await run(program)).to.equal("ECONNREFUSED");
  });
});

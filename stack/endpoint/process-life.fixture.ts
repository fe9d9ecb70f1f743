/**
 * A program that has nothing to do but what one scenario leaves open, over node:net or over our stack: it prints `ended` when nothing keeps it alive, and `goes on` when something does.
 * `node process-life.fixture.ts SCENARIO PATIENCE node ADDRESS PORT`, or `… NAMESPACE-FILE ADDRESS PORT`; patience: milliseconds until it says that it goes on.
 */
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import nodeNet from "node:net";
import { Host } from "../host.ts";
import { Driver } from "../io/driver.ts";
import { netOver } from "../net/net.ts";

/** What both have of it. */
type NetModule = Pick<typeof nodeNet, "connect" | "createServer">;
type Scenario = (net: NetModule, address: string, port: number) => unknown;

export const scenarios: Readonly<Record<string, Scenario>> = {
  "nothing at all": () => undefined,
  "a server that listens": (net) => net.createServer().listen(0),
  "a server that is unref'd": (net) => net.createServer().listen(0).unref(),
  "a server that was unref'd before it listened": (net) => net.createServer().unref().listen(0),
  "a server that is ref'd again": (net) => net.createServer().listen(0).unref().ref(),
  "a server that is closed": async (net) => {
    const server = net.createServer().listen(0);
    await once(server, "listening");
    server.close();
  },
  "a connection": async (net, address, port) => once(net.connect(port, address), "connect"),
  "a connection that is unref'd": async (net, address, port) => {
    const socket = net.connect(port, address);
    await once(socket, "connect");
    socket.unref();
  },
  "a connection that is unref'd and has a timeout": async (net, address, port) => {
    const socket = net.connect(port, address);
    await once(socket, "connect");
    socket.unref().setTimeout(3_600_000);
  },
  "a connection that is ref'd again": async (net, address, port) => {
    const socket = net.connect(port, address);
    await once(socket, "connect");
    socket.unref().ref();
  },
  "a socket that was unref'd before it connected": (net, address, port) =>
    net.connect(port, address, () => process.stdout.write("connected\n")).unref(),
  "a socket that nobody answers": (net, address, port) => {
    net.connect(port + 1, address).on("error", ({ message }) => process.stdout.write(`${message.split(" ")[1]}\n`));
  },
  "a socket that is destroyed": async (net, address, port) => {
    const socket = net.connect(port, address);
    await once(socket, "connect");
    socket.destroy();
  },
  "a process that exits": async (net, address, port) => {
    const socket = net.connect(port, address);
    socket.write("x");
    // The peer has not only been reached, but has taken the connection: before, it could not tell whose it was.
    await once(socket, "data");
    process.stdout.write(`${socket.localPort}\n`);
    process.exit();
  },
  // Ten times what buffers hold: the end of the process must not cut it off.
  "much that was written before the socket was unref'd": (net, address, port) => {
    const socket = net.connect(port, address).unref();
    socket.end(Buffer.alloc(40_000_000, "x"));
    socket.resume();
  },
};

const [name, patience, where, address, port] = process.argv.slice(2);
const scenario = scenarios[name ?? ""];
if (import.meta.main && scenario !== undefined) {
  await scenario(where === "node" ? nodeNet : ours(where!), address!, Number(port));
  // A timer that keeps nothing alive itself: it only comes to its time when something else does.
  setTimeout(() => {
    process.stdout.write("goes on\n");
    process.exit();
  }, Number(patience)).unref();
  process.once("beforeExit", () => process.stdout.write("ended\n"));
}

function ours(namespacePath: string): NetModule {
  const host = new Host({
    name: "client",
    random: () => randomBytes(4).readUInt32LE(),
    interfaces: [
      {
        name: "t0",
        mac: "02:00:00:00:00:01",
        mtu: 1500,
        gso: true,
        addresses: [{ address: "10.6.0.1", prefixLength: 24 }],
      },
    ],
    mptcp: true,
    congestionControl: "reno",
    scheduler: "min-rtt",
    pathManager: "full-mesh",
  });
  return netOver(
    new Driver({ host, interfaces: [{ interfaceName: "t0", namespacePath }] }).unref(),
  ) as unknown as NetModule;
}

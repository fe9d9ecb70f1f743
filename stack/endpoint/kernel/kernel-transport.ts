import { execFile } from "node:child_process";
import { createServer, connect, type Server, type Socket } from "node:net";
import { networkInterfaces } from "node:os";
import { formatEndpoint } from "../../wire/ip-address.ts";
import type { Endpoint, SocketSample, Transport, TransportSocket } from "../transport.ts";
import { connectionSample } from "./connection-sample.ts";
import { parseSocketStatistics } from "./socket-statistics.ts";

/** The kernel's TCP; under `mptcpize run` the very same calls make MPTCP sockets. */
export class KernelTransport implements Transport {
  readonly versions: Readonly<Record<string, string>> = {
    node: process.version,
    // mptcpize works by preloading a library that turns TCP sockets into MPTCP sockets.
    mptcpize: String(process.env["LD_PRELOAD"]?.includes("libmptcpwrap") ?? false),
  };
  readonly sampleIsCostly: boolean = true;
  readonly #sockets = new Set<Socket>();
  readonly #servers: Server[] = [];

  connect(remote: Endpoint): TransportSocket {
    const socket = connect({ ...remote, allowHalfOpen: true });
    this.#track(socket);
    return socket;
  }

  listen(port: number, onConnection: (socket: TransportSocket) => void): Promise<void> {
    const server = createServer({ allowHalfOpen: true }, (socket) => {
      this.#track(socket);
      onConnection(socket);
    });
    this.#servers.push(server);
    return new Promise((resolve, reject) => {
      server.once("error", reject);
      // Without a host: every address of both families, or of IPv4 where the machine knows no other.
      server.listen({ port }, () => {
        server.off("error", reject);
        resolve();
      });
    });
  }

  async sample(): Promise<readonly SocketSample[]> {
    const connected = [...this.#sockets].filter((socket) => socket.remoteAddress !== undefined);
    if (connected.length === 0) return [];
    const lines = parseSocketStatistics(await socketStatistics());
    const interfaceOf = interfaceByAddress();
    const samples: SocketSample[] = [];
    for (const socket of connected) {
      const { localAddress, localPort, remoteAddress, remotePort, bytesWritten, bytesRead } = socket;
      if (localAddress === undefined || remoteAddress === undefined) continue;
      const application = {
        local: endpointText(localAddress, localPort!),
        remote: endpointText(remoteAddress, remotePort!),
        bytesWritten,
        bytesRead,
      };
      const sample = connectionSample(application, lines, interfaceOf);
      if (sample !== undefined) samples.push({ socket, ...sample });
    }
    return samples;
  }

  async close(): Promise<void> {
    for (const server of this.#servers) server.close();
    for (const socket of this.#sockets) socket.destroy();
  }

  #track(socket: Socket): void {
    this.#sockets.add(socket);
    socket.on("close", () => this.#sockets.delete(socket));
  }
}

/** As `parseSocketStatistics` gives it: `10.0.1.2:40000`, of IPv4 also where the socket calls it ::ffff:10.0.1.2; `[fd00::1]:40000`. */
function endpointText(address: string, port: number): string {
  return formatEndpoint(address.replace(/^::ffff:(?=[\d.]+$)/, ""), port);
}

/** `ss` runs without mptcpize's preload: its own netlink sockets are nothing to be rewritten. */
function socketStatistics(): Promise<string> {
  const { LD_PRELOAD: _, ...env } = process.env;
  return new Promise((resolve, reject) => {
    execFile("ss", ["-tMinOH"], { env, maxBuffer: 64 * 2 ** 20 }, (error, stdout) =>
      error ? reject(error) : resolve(stdout),
    );
  });
}

function interfaceByAddress(): (address: string) => string | undefined {
  const names = new Map<string, string>();
  for (const [name, addresses] of Object.entries(networkInterfaces())) {
    for (const { address } of addresses ?? []) names.set(address, name);
  }
  return (address) => names.get(address);
}

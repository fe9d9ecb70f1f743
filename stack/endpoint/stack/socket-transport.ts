import { connect, createServer, type MptcpSocket, type NetworkStack, type Server } from "../../net/net.ts";
import type { Endpoint, SocketSample, Transport, TransportSocket } from "../transport.ts";
import { connectionMetrics, subflowMetrics } from "./connection-sample.ts";

/** Sockets of our MPTCP stack, whatever its wires are: packet sockets, or links in virtual time. */
export class SocketTransport implements Transport {
  readonly versions: Readonly<Record<string, string>> = { node: process.version };
  readonly sampleIsCostly: boolean = false;
  readonly #stack: NetworkStack;
  readonly #sockets = new Set<MptcpSocket>();
  readonly #servers: Server[] = [];

  constructor(stack: NetworkStack) {
    this.#stack = stack;
  }

  connect(remote: Endpoint): TransportSocket {
    const socket = connect(this.#stack, { ...remote, allowHalfOpen: true });
    this.#track(socket);
    return socket;
  }

  listen(port: number, onConnection: (socket: TransportSocket) => void): Promise<void> {
    const server = createServer(this.#stack, { allowHalfOpen: true }, (socket) => {
      this.#track(socket);
      onConnection(socket);
    });
    this.#servers.push(server);
    return new Promise((resolve, reject) => {
      server.once("error", reject);
      server.listen({ port }, () => {
        server.off("error", reject);
        resolve();
      });
    });
  }

  async sample(): Promise<readonly SocketSample[]> {
    return [...this.#sockets]
      .filter((socket) => !socket.pending)
      .map((socket) => {
        const info = socket.info();
        return { socket, connection: connectionMetrics(info), subflows: info.subflows.map(subflowMetrics) };
      });
  }

  async close(): Promise<void> {
    for (const server of this.#servers) server.close();
  }

  #track(socket: MptcpSocket): void {
    this.#sockets.add(socket);
    socket.on("close", () => this.#sockets.delete(socket));
  }
}

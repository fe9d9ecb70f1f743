/** What carries the bytes of the workloads on a simulated host: the very sockets that the stack gives to programs on a wire. */
import { connectionMetrics, subflowMetrics } from "../../../stack/endpoint/stack/connection-sample.ts";
import type { Endpoint, SocketSample, Transport, TransportSocket } from "../../../stack/endpoint/transport.ts";
import { connect, createServer, type MptcpSocket, type NetworkStack } from "../../../stack/net/net.ts";

export class SimulatedTransport implements Transport {
  readonly versions: Readonly<Record<string, string>> = {};
  readonly sampleIsCostly: boolean = false;
  readonly #stack: NetworkStack;
  readonly #sockets = new Set<MptcpSocket>();

  constructor(stack: NetworkStack) {
    this.#stack = stack;
  }

  connect(remote: Endpoint): TransportSocket {
    return this.#track(connect(this.#stack, { ...remote, allowHalfOpen: true }));
  }

  listen(port: number, onConnection: (socket: TransportSocket) => void): Promise<void> {
    const server = createServer(this.#stack, { allowHalfOpen: true }, (socket) => onConnection(this.#track(socket)));
    return new Promise((resolve, reject) => {
      server.once("error", reject);
      server.listen({ port }, resolve);
    });
  }

  async sample(): Promise<readonly SocketSample[]> {
    return [...this.#sockets]
      .filter((socket) => !socket.connecting)
      .map((socket) => {
        const info = socket.info();
        return { socket, connection: connectionMetrics(info), subflows: info.subflows.map(subflowMetrics) };
      });
  }

  /** The simulation ends with it: there is nobody left to say goodbye to. */
  async close(): Promise<void> {}

  #track(socket: MptcpSocket): MptcpSocket {
    this.#sockets.add(socket);
    socket.on("close", () => this.#sockets.delete(socket));
    return socket;
  }
}

import { Host } from "../../host.ts";
import { Driver, type DriverProblem } from "../../io/driver.ts";
import { connect, createServer, type MptcpSocket, type Server } from "../../net/net.ts";
import type { StartCommand } from "../protocol.ts";
import type { Endpoint, SocketSample, Transport, TransportObserver, TransportSocket } from "../transport.ts";
import { connectionMetrics, subflowMetrics } from "./connection-sample.ts";
import { seededRandom } from "./seeded-random.ts";

/** Our MPTCP stack on packet sockets of the interfaces that the options name. */
export class StackTransport implements Transport {
  readonly versions: Readonly<Record<string, string>> = { node: process.version };
  readonly sampleIsCostly: boolean = false;
  readonly #driver: Driver;
  readonly #sockets = new Set<MptcpSocket>();
  readonly #servers: Server[] = [];

  /** @throws ConfigurationError, or Error with the code ENODEV, ENOENT or EPERM when an interface cannot be opened. */
  constructor(transport: Extract<StartCommand["transport"], { kind: "stack" }>, observer: TransportObserver) {
    const { options, seed } = transport;
    this.#driver = new Driver({
      host: new Host({ ...options, random: seededRandom(seed) }),
      interfaces: options.interfaces.map(({ name }) => ({ interfaceName: name })),
      onEvent: (event) => observer.onEvent(event),
      onProblem: (problem) => observer.onProblem(problemSentence(problem)),
    });
  }

  connect(remote: Endpoint): TransportSocket {
    const socket = connect(this.#driver, { ...remote, allowHalfOpen: true });
    this.#track(socket);
    return socket;
  }

  listen(port: number, onConnection: (socket: TransportSocket) => void): Promise<void> {
    const server = createServer(this.#driver, { allowHalfOpen: true }, (socket) => {
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
      .filter((socket) => !socket.connecting)
      .map((socket) => {
        const info = socket.info();
        return { socket, connection: connectionMetrics(info), subflows: info.subflows.map(subflowMetrics) };
      });
  }

  async close(): Promise<void> {
    for (const server of this.#servers) server.close();
    this.#driver.close();
  }

  #track(socket: MptcpSocket): void {
    this.#sockets.add(socket);
    socket.on("close", () => this.#sockets.delete(socket));
  }
}

function problemSentence(problem: DriverProblem): string {
  return problem.type === "interface-deleted"
    ? `the interface ${problem.interfaceName} was deleted`
    : `${problem.interfaceName}: ${problem.code}`;
}

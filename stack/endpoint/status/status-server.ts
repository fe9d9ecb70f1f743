/** Answers questions about the endpoint on a socket of this machine, of the kernel: nobody who only carries data pays for it. */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import { once } from "node:events";
import { lstatSync, rmSync } from "node:fs";
import { connect } from "node:net";
import type { StatusAddress } from "./status-address.ts";
import type { EndpointMetrics } from "./metrics.ts";
import { endpointState, stateText } from "./state.ts";
import type { StatusSource } from "./status-source.ts";

const directory = "GET /metrics  what Prometheus scrapes\nGET /state    connections, subflows, interfaces as JSON\n";

export class StatusServer {
  readonly #source: StatusSource;
  readonly #server: Server;
  #metrics: EndpointMetrics | undefined;

  constructor(source: StatusSource) {
    this.#source = source;
    this.#server = createServer((request, response) => {
      this.#answer(request, response).catch((error: unknown) => {
        response.writeHead(500, { "content-type": "text/plain" }).end(`${String(error)}\n`);
      });
    });
  }

  /** Rejects with the code EADDRINUSE, EADDRNOTAVAIL, EACCES, ENOENT … A socket file that nobody listens on any more is replaced. */
  async listen(address: StatusAddress): Promise<void> {
    if (address.kind === "unix" && (await isAbandoned(address.path))) rmSync(address.path);
    if (address.kind === "unix") this.#server.listen(address.path);
    else this.#server.listen(address.port, address.host);
    await once(this.#server, "listening");
    // It answers for as long as the program has something else to do.
    this.#server.unref();
  }

  /** Of a TCP socket; where the port was given as 0, the one that was found. */
  get port(): number | undefined {
    const bound = this.#server.address();
    return typeof bound === "object" ? bound?.port : undefined;
  }

  close(): void {
    this.#server.close();
    this.#server.closeAllConnections();
  }

  async #answer({ method, url = "/" }: IncomingMessage, response: ServerResponse): Promise<void> {
    const { pathname } = new URL(url, "http://endpoint");
    if (method !== "GET" && method !== "HEAD") {
      response.writeHead(405, { allow: "GET, HEAD" }).end();
      return;
    }
    switch (pathname) {
      case "/metrics": {
        this.#metrics ??= new (await import("./metrics.ts")).EndpointMetrics(this.#source);
        const text = await this.#metrics.text();
        response.writeHead(200, { "content-type": this.#metrics.contentType }).end(text);
        return;
      }
      case "/state":
        response
          .writeHead(200, { "content-type": "application/json" })
          .end(stateText(endpointState(this.#source, Date.now() / 1000)));
        return;
      case "/":
        response.writeHead(200, { "content-type": "text/plain" }).end(directory);
        return;
      default:
        response.writeHead(404, { "content-type": "text/plain" }).end(`${pathname}: not here\n${directory}`);
    }
  }
}

/** Whether a socket of the file system is there on which nobody listens: its program was killed. */
async function isAbandoned(path: string): Promise<boolean> {
  // Who connects to any other file is refused as well.
  if (lstatSync(path, { throwIfNoEntry: false })?.isSocket() !== true) return false;
  const socket = connect(path);
  try {
    await once(socket, "connect");
    return false;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "ECONNREFUSED";
  } finally {
    socket.destroy();
  }
}

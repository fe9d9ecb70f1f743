/** `listen` and `connect`: standard input to the peer, the peer to standard output, over one connection. */
import { once } from "node:events";
import type { MptcpSocket } from "../../net/net.ts";
import type { Endpoint } from "./endpoint.ts";
import { exitCode } from "./failure.ts";

export interface PeerArguments {
  readonly address: string;
  readonly port: number;
  readonly localAddress?: string;
  readonly localPort?: number;
}

/** A socket that is connected. Rejects with node:net's error. */
export async function connected(endpoint: Endpoint, peer: PeerArguments, signal: AbortSignal): Promise<MptcpSocket> {
  const { fastOpen = false } = endpoint.options;
  const { address: host, ...place } = peer;
  const socket = endpoint.net.connect({ ...endpoint.socketOptions, ...place, host, fastOpen, signal });
  await once(socket, "connect");
  endpoint.log.info("connected", ends(socket));
  return socket;
}

/** The first who connects to the port; all others are refused. */
export async function accepted(endpoint: Endpoint, port: number, signal: AbortSignal): Promise<MptcpSocket> {
  const { fastOpen = false } = endpoint.options;
  const server = endpoint.net.createServer(endpoint.socketOptions);
  server.maxConnections = 1;
  server.listen({ port, fastOpen, signal });
  await once(server, "listening");
  endpoint.log.info("listening", { port });
  const [socket] = (await once(server, "connection", { signal })) as [MptcpSocket];
  server.on("connection", (other) => other.destroy());
  signal.addEventListener("abort", () => socket.destroy(), { once: true });
  endpoint.log.info("accepted", ends(socket));
  return socket;
}

/** Until both streams have ended. */
export async function pipeBytes(endpoint: Endpoint, socket: MptcpSocket): Promise<number> {
  const closed = once(socket, "close");
  process.stdout.on("error", () => socket.destroy());
  process.stdin.pipe(socket);
  socket.pipe(process.stdout);
  await closed;
  process.stdin.unpipe(socket).pause();
  endpoint.log.info("closed", { bytesRead: socket.bytesRead, bytesWritten: socket.bytesWritten });
  return exitCode.done;
}

export function ends(socket: MptcpSocket): object {
  const { localAddress, localPort, remoteAddress, remotePort } = socket;
  return { localAddress, localPort, remoteAddress, remotePort };
}

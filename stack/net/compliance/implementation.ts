/** What the suite runs against: node:net on the loopback interface, and ours on two hosts of a virtual network. */

import { once } from "node:events";
import nodeNet from "node:net";
import { wifi } from "../../testing/pair.ts";
import type { MptcpSocket, Net, Server } from "../net.ts";
import { virtualHosts } from "../virtual-hosts.fixture.ts";

export interface NetUnderTest {
  /** What a program on the client's host has, and on the server's. */
  client: Net;
  server: Net;
  serverAddress: string;
  clientAddress: string;
  /** Another address of the server's, of IPv6. */
  serverIpv6: string;
  /** Neither host has it. */
  foreignAddress: string;
  close(): void;
}

export interface NetImplementation {
  name: string;
  open(): NetUnderTest;
}

export const nodeImplementation: NetImplementation = {
  name: "node:net on loopback",
  open: () => ({
    client: nodeNet as unknown as Net,
    server: nodeNet as unknown as Net,
    serverAddress: "127.0.0.1",
    clientAddress: "127.0.0.1",
    serverIpv6: "::1",
    foreignAddress: "192.0.2.1",
    close: () => undefined,
  }),
};

export const ourImplementation: NetImplementation = {
  name: "our net over two virtual hosts",
  open: () => ({
    ...virtualHosts({ paths: [wifi], clientFamilies: ["both"], serverFamily: "both" }),
    serverIpv6: "fd00:0:0:64::2",
    foreignAddress: "192.0.2.1",
  }),
};

export type SocketOptions = NonNullable<Parameters<Net["createServer"]>[0]>;

/** A server on a free port, closed with all its connections when the test has ended. */
export class Bench {
  readonly net: NetUnderTest;
  readonly #servers: Server[] = [];
  readonly #sockets: MptcpSocket[] = [];

  constructor(net: NetUnderTest) {
    this.net = net;
  }

  async listen(options?: SocketOptions, onConnection?: (socket: MptcpSocket) => void): Promise<Server> {
    const server = this.net.server.createServer(options, onConnection);
    this.keepServer(server);
    server.listen(0, this.net.serverAddress);
    await once(server, "listening");
    return server;
  }

  keepServer(server: Server): Server {
    this.#servers.push(server);
    server.on("connection", (socket) => void this.#sockets.push(socket));
    return server;
  }

  keep(socket: MptcpSocket): MptcpSocket {
    this.#sockets.push(socket);
    return socket;
  }

  connect(server: Server, options: object = {}): MptcpSocket {
    const target = { port: server.address()!.port, host: this.net.serverAddress, ...options };
    return this.keep(this.net.client.connect(target));
  }

  /** Both ends of a connection. */
  async connected(
    serverOptions: SocketOptions = {},
    clientOptions: object = {},
  ): Promise<{ server: Server; client: MptcpSocket; accepted: MptcpSocket }> {
    const server = await this.listen(serverOptions);
    const client = this.connect(server, clientOptions);
    const [[accepted]] = await Promise.all([once(server, "connection"), once(client, "connect")]);
    return { server, client, accepted: accepted as MptcpSocket };
  }

  /** A port on which nobody listens; none of those that the kernel gives to connections of other programs meanwhile. */
  async freePort(): Promise<number> {
    for (;;) {
      const server = this.keepServer(this.net.server.createServer());
      const listening = once(server, "listening");
      server.listen(10_000 + Math.floor(Math.random() * 20_000), this.net.serverAddress);
      try {
        await listening;
      } catch (error) {
        if ((error as SystemError).code === "EADDRINUSE") continue;
        throw error;
      }
      const { port } = server.address()!;
      server.close();
      await once(server, "close");
      return port;
    }
  }

  close(): void {
    for (const socket of this.#sockets) socket.on("error", () => undefined).destroy();
    for (const server of this.#servers) server.close();
    this.net.close();
  }
}

export type SystemError = NodeJS.ErrnoException & { address?: string; port?: number };

/** The error that the socket will tell. */
export async function errorOf(emitter: NodeJS.EventEmitter): Promise<SystemError> {
  return new Promise((resolve) => emitter.once("error", resolve));
}

/** `code` and class of what `call` throws. */
export function thrownBy(call: () => unknown): { code: string | undefined; name: string } | undefined {
  try {
    call();
  } catch (error) {
    return { code: (error as SystemError).code, name: (error as Error).name };
  }
  return undefined;
}

export async function textOf(socket: MptcpSocket): Promise<string> {
  let text = "";
  socket.setEncoding("utf8");
  for await (const chunk of socket) text += chunk as string;
  return text;
}

export type Suite = (bench: () => Bench) => void;

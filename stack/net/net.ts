/** `createServer` and `connect` of node:net, over our stack. */

import type { ConnectOptions } from "../host.ts";
import { MptcpSocket, type MptcpSocketOptions } from "./mptcp-socket.ts";
import type { NetworkStack } from "./network-stack.ts";
import { Server } from "./server.ts";

export interface SocketConnectOptions extends MptcpSocketOptions {
  /** IPv4, IPv6, or IPv4 mapped into IPv6. */
  host: string;
  port: number;
  localAddress?: string;
  /** False: plain TCP. Default: as the host. */
  mptcp?: boolean;
}

export function createServer(
  stack: NetworkStack,
  options: MptcpSocketOptions,
  onConnection?: (socket: MptcpSocket) => void,
): Server {
  const server = new Server(stack, options);
  if (onConnection !== undefined) server.on("connection", onConnection);
  return server;
}

/** @throws NetworkError, ConfigurationError when the attempt cannot even begin */
export function connect(stack: NetworkStack, options: SocketConnectOptions, onConnect?: () => void): MptcpSocket {
  const attempt: ConnectOptions = {
    remoteAddress: options.host,
    remotePort: options.port,
    ...(options.localAddress !== undefined && { localAddress: options.localAddress }),
    ...(options.mptcp !== undefined && { mptcp: options.mptcp }),
    ...(options.fastOpen !== undefined && { fastOpen: options.fastOpen }),
  };
  const socket = new MptcpSocket(stack, stack.host.connect(attempt, stack.now()), options);
  if (onConnect !== undefined) socket.once("connect", onConnect);
  stack.wake();
  return socket;
}

export { MptcpSocket } from "./mptcp-socket.ts";
export type { NetworkStack } from "./network-stack.ts";
export { Server } from "./server.ts";

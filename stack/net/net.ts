/** `node:net` over our stack: the same calls with the stack as their first argument, or, by `netOver`, the same calls. */

import { isIP, isIPv4, isIPv6 } from "node:net";
import { type ConnectArguments, connectCall } from "./call-arguments.ts";
import { MptcpSocket } from "./mptcp-socket.ts";
import type { NetworkStack } from "./network-stack.ts";
import { Server, type ServerOptions } from "./server.ts";
import type { MptcpSocketOptions, SocketConnectOptions } from "./socket-options.ts";

type OnConnection = (socket: MptcpSocket) => void;

/** `createServer(stack, options?, onConnection?)`. */
export function createServer(
  stack: NetworkStack,
  options?: ServerOptions | OnConnection | null,
  onConnection?: OnConnection,
): Server {
  return new Server(stack, options, onConnection);
}

/**
 * `connect(stack, options, onConnect?)`, `connect(stack, port, host?, onConnect?)`. What fails is told by `error` of the socket, what cannot be right is thrown.
 * @throws as `MptcpSocket.connect`
 */
export function connect(stack: NetworkStack, ...args: ConnectArguments<SocketConnectOptions>): MptcpSocket {
  const { options } = connectCall<SocketConnectOptions>(args);
  const socket = new MptcpSocket(stack, options);
  if (options.timeout !== undefined) socket.setTimeout(options.timeout);
  return socket.connect(...args);
}

/** Shaped as the module node:net. */
export interface Net {
  readonly connect: (...args: ConnectArguments<SocketConnectOptions>) => MptcpSocket;
  readonly createConnection: (...args: ConnectArguments<SocketConnectOptions>) => MptcpSocket;
  readonly createServer: (options?: ServerOptions | OnConnection | null, onConnection?: OnConnection) => Server;
  readonly Socket: new (options?: MptcpSocketOptions) => MptcpSocket;
  readonly Server: new (options?: ServerOptions | OnConnection | null, onConnection?: OnConnection) => Server;
  readonly isIP: (input: string) => number;
  readonly isIPv4: (input: string) => boolean;
  readonly isIPv6: (input: string) => boolean;
}

/** The module node:net, as programs on this host have it. */
export function netOver(stack: NetworkStack): Net {
  const connectHere = (...args: ConnectArguments<SocketConnectOptions>): MptcpSocket => connect(stack, ...args);
  return {
    connect: connectHere,
    createConnection: connectHere,
    createServer: (options, onConnection) => createServer(stack, options, onConnection),
    Socket: class extends MptcpSocket {
      constructor(options?: MptcpSocketOptions) {
        super(stack, options);
      }
    },
    Server: class extends Server {
      constructor(options?: ServerOptions | OnConnection | null, onConnection?: OnConnection) {
        super(stack, options, onConnection);
      }
    },
    isIP,
    isIPv4,
    isIPv6,
  };
}

export { MptcpSocket } from "./mptcp-socket.ts";
export type { NetworkStack } from "./network-stack.ts";
export { Server } from "./server.ts";

/** `node:net` over our stack: the same calls with the stack as their first argument, or, by `netOver`, the same calls. */

import {
  BlockList,
  getDefaultAutoSelectFamily,
  getDefaultAutoSelectFamilyAttemptTimeout,
  isIP,
  isIPv4,
  isIPv6,
  setDefaultAutoSelectFamily,
  setDefaultAutoSelectFamilyAttemptTimeout,
  SocketAddress,
} from "node:net";
import { type ConnectArguments, connectCall } from "./call-arguments.ts";
import { type AcceptedConnection, MptcpSocket } from "./mptcp-socket.ts";
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
  return connectBy((options) => new MptcpSocket(stack, options), args);
}

function connectBy(
  newSocket: (options: SocketConnectOptions) => MptcpSocket,
  args: ConnectArguments<SocketConnectOptions>,
): MptcpSocket {
  const { options } = connectCall<SocketConnectOptions>(args);
  const socket = newSocket(options);
  if (options.timeout) socket.setTimeout(options.timeout);
  return socket.connect(...args);
}

/** As functions of old, the classes of node:net do without `new`. */
function callable<Class extends new (...args: never[]) => object>(original: Class): Class {
  const proxy = new Proxy(original, { apply: (target, _this, args) => Reflect.construct(target, args) as object });
  Object.defineProperty(original.prototype, "constructor", { value: proxy });
  return proxy;
}

/** Shaped as the module node:net. */
export interface Net {
  readonly connect: (...args: ConnectArguments<SocketConnectOptions>) => MptcpSocket;
  readonly createConnection: (...args: ConnectArguments<SocketConnectOptions>) => MptcpSocket;
  readonly createServer: (options?: ServerOptions | OnConnection | null, onConnection?: OnConnection) => Server;
  readonly Socket: new (options?: MptcpSocketOptions) => MptcpSocket;
  /** As `Socket`. */
  readonly Stream: new (options?: MptcpSocketOptions) => MptcpSocket;
  readonly Server: new (options?: ServerOptions | OnConnection | null, onConnection?: OnConnection) => Server;
  // Node's own, which know of no stack.
  readonly isIP: typeof isIP;
  readonly isIPv4: typeof isIPv4;
  readonly isIPv6: typeof isIPv6;
  readonly BlockList: typeof BlockList;
  readonly SocketAddress: typeof SocketAddress;
  readonly getDefaultAutoSelectFamily: typeof getDefaultAutoSelectFamily;
  readonly setDefaultAutoSelectFamily: typeof setDefaultAutoSelectFamily;
  readonly getDefaultAutoSelectFamilyAttemptTimeout: typeof getDefaultAutoSelectFamilyAttemptTimeout;
  readonly setDefaultAutoSelectFamilyAttemptTimeout: typeof setDefaultAutoSelectFamilyAttemptTimeout;
}

/** The module node:net, as programs on this host have it. */
export function netOver(stack: NetworkStack): Net {
  class Socket extends MptcpSocket {
    constructor(options?: MptcpSocketOptions, accepted?: AcceptedConnection) {
      super(stack, options, accepted);
    }
  }
  class HostServer extends Server {
    constructor(options?: ServerOptions | OnConnection | null, onConnection?: OnConnection) {
      super(stack, options, onConnection);
    }

    protected override newSocket(options: MptcpSocketOptions, accepted: AcceptedConnection): MptcpSocket {
      return new Socket(options, accepted);
    }
  }
  Object.defineProperty(HostServer, "name", { value: "Server" });
  const connectHere = (...args: ConnectArguments<SocketConnectOptions>): MptcpSocket =>
    connectBy((options) => new Socket(options), args);
  const callableSocket = callable(Socket);
  return {
    connect: connectHere,
    createConnection: connectHere,
    createServer: (options, onConnection) => new HostServer(options, onConnection),
    Socket: callableSocket,
    Stream: callableSocket,
    Server: callable(HostServer),
    isIP,
    isIPv4,
    isIPv6,
    BlockList,
    SocketAddress,
    getDefaultAutoSelectFamily,
    setDefaultAutoSelectFamily,
    getDefaultAutoSelectFamilyAttemptTimeout,
    setDefaultAutoSelectFamilyAttemptTimeout,
  };
}

export { MptcpSocket } from "./mptcp-socket.ts";
export type { NetworkStack } from "./network-stack.ts";
export { Server } from "./server.ts";

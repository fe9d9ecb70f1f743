/** How a converter goes on to the server that an application wants. */
import { type BlockList, connect as connectByKernel, isIPv6, type Socket } from "node:net";
import { connect as connectByStack, type MptcpSocket, type NetworkStack } from "../../net/net.ts";
import { formatIpAddress } from "../../wire/ip-address.ts";
import { ConnectFailure } from "./connect-failure.ts";
import type { TransportAddress } from "./convert-message.ts";
import { proxyProtocolHeader } from "./proxy-protocol.ts";
import type { RelaySocket } from "./relay.ts";

export type Outlet = (remote: TransportAddress, application: TransportAddress | undefined) => Promise<RelaySocket>;

export interface KernelOutletOptions {
  /** Where all connections go, on the port that was asked for; undefined: where they were to go. */
  readonly toAddress: string | undefined;
  /** Begin each with who the application is (PROXY protocol 2), for servers that expect it. */
  readonly proxyProtocol: boolean;
}

/** Over the machine's own sockets; the server sees the converter as its client. */
export function kernelOutlet({ toAddress, proxyProtocol }: KernelOutletOptions): Outlet {
  return async (remote, application) => {
    const host = toAddress ?? formatIpAddress(remote.address);
    const socket = connectByKernel({ host, port: remote.port, allowHalfOpen: true, noDelay: true, keepAlive: true });
    await connected(socket);
    if (proxyProtocol && application !== undefined) socket.write(proxyProtocolHeader(application, remote));
    return socket;
  };
}

/** Through a TUN device of the server's machine, as the application: the server sees the application's own address and port. */
export function transparentOutlet(stack: NetworkStack): Outlet {
  return async (remote, application) => {
    if (application === undefined)
      throw new ConnectFailure("EACCES", "a client that does not tell who the application is");
    const socket = connectByStack(stack, {
      host: formatIpAddress(remote.address),
      port: remote.port,
      localAddress: formatIpAddress(application.address),
      localPort: application.port,
      allowHalfOpen: true,
      noDelay: true,
    });
    await connected(socket);
    return socket;
  };
}

/** Only to destinations on the list. */
export function allowing(allowed: BlockList, outlet: Outlet): Outlet {
  return async (remote, application) => {
    const address = formatIpAddress(remote.address);
    if (!allowed.check(address, isIPv6(address) ? "ipv6" : "ipv4"))
      throw new ConnectFailure("EACCES", `${address} is not among the destinations that are allowed`);
    return outlet(remote, application);
  };
}

function connected(socket: Socket | MptcpSocket): Promise<void> {
  return new Promise((resolve, reject) => {
    socket.on("error", reject);
    socket.once("connect", resolve);
  });
}

/** What applications ask of a host: to listen, and to connect. */

import type { AlgorithmChoices } from "./host-options.ts";
import { checkedAddress } from "./interface-configuration.ts";
import { NetworkError } from "./network-error.ts";
import type { IpAddress } from "./wire/ip-address.ts";
import { unspecifiedIpv6 } from "./wire/ipv6-address.ts";

export const defaultBacklog = 511;

/** Algorithms that it leaves out are those of the host. */
export interface ListenOptions extends Partial<AlgorithmChoices> {
  /** 0: one that nobody listens on. */
  port: number;
  /** Default: every address of the host, as with `::`; `0.0.0.0`: every IPv4 address. */
  address?: string;
  /** With `::`: no IPv4 (IPV6_V6ONLY, RFC 3493 §5.3). Default false. */
  ipv6Only?: boolean;
  /** Connections that are half open or wait to be accepted; default 511. */
  backlog?: number;
  /** Take data that come with a SYN (TCP Fast Open, RFC 7413): an application may see a request twice then. Default false. */
  fastOpen?: boolean;
}

/** Algorithms that it leaves out are those of the host. */
export interface ConnectOptions extends Partial<AlgorithmChoices> {
  remoteAddress: string;
  remotePort: number;
  /** Default: the address of the first interface that is up and has a route. With a transparent interface it may be anybody's (IP_TRANSPARENT). */
  localAddress?: string;
  /** Default: one by chance. */
  localPort?: number;
  /** Default: as the host. */
  mptcp?: boolean;
  /** What is written before the next `pollTransmit` goes with the SYN, when the peer's cookie is known (TCP Fast Open, RFC 7413): the peer may see it twice. Default false. */
  fastOpen?: boolean;
}

/** @throws NetworkError ERR_SOCKET_BAD_PORT */
export function checkPort(port: number, least: number): void {
  if (!Number.isInteger(port) || port < least || port > 65_535)
    throw new NetworkError("ERR_SOCKET_BAD_PORT", `port ${port} is not in ${least} … 65535`);
}

/** @throws NetworkError EINVAL */
export function checkBacklog(backlog: number): void {
  if (!Number.isInteger(backlog) || backlog < 1) throw new NetworkError("EINVAL", `a backlog of ${backlog}`);
}

/** As `Listener.address`. */
export function listeningAddress({ address: text, ipv6Only = false }: ListenOptions): IpAddress | undefined {
  if (text === undefined) return undefined;
  const address = checkedAddress("address", text);
  return address === unspecifiedIpv6 && !ipv6Only ? undefined : address;
}

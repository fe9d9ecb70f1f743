/** Which of a host's addresses can talk to a remote one, and who is the next hop. */

import { foreignAddress, type LocalAddresses } from "./local-addresses.ts";
import type { LocalAddress } from "./mptcp/connection-environment.ts";
import type { NetworkInterface } from "./network-interface.ts";
import { canTalk, type IpAddress } from "./wire/ip-address.ts";

export class Routes {
  readonly #interfaces: readonly NetworkInterface[];
  readonly #addresses: LocalAddresses;

  constructor(interfaces: readonly NetworkInterface[], addresses: LocalAddresses) {
    this.#interfaces = interfaces;
    this.#addresses = addresses;
  }

  /** Where a packet between the two goes first, or undefined: no route, or addresses of different families. */
  nextHop(local: LocalAddress, remote: IpAddress): IpAddress | undefined {
    if (!canTalk(local.address, remote)) return undefined;
    return this.#interfaces[local.interfaceIndex]!.nextHop(remote);
  }

  /** Those that a route leads from, and first of all those of the remote's own network. */
  sourcesFor(remote: IpAddress): LocalAddress[] {
    const reachable = this.#addresses.list.filter((local) => local.up && this.nextHop(local, remote) !== undefined);
    const isNeighbour = (local: LocalAddress): boolean => this.nextHop(local, remote) === remote;
    return [...reachable.filter(isNeighbour), ...reachable.filter((local) => !isNeighbour(local))];
  }

  /** Our address, or anybody's where there is a transparent interface. */
  ownOrForeign(address: IpAddress): LocalAddress | undefined {
    const own = this.#addresses.find(address);
    const via = own === undefined ? this.#interfaces.find(({ transparent, up }) => transparent && up) : undefined;
    return via === undefined ? own : foreignAddress(via, address);
  }
}

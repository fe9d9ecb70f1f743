/** What a host does when nobody on a link answers for a next hop (RFC 4861 §7.2.2; of ARP RFC 1122 §3.2.2.1, host unreachable): those who send by it are told. */

import type { Connection } from "./mptcp/connection.ts";
import type { NetworkInterface } from "./network-interface.ts";
import type { IpAddress } from "./wire/ip-address.ts";

/** As Linux: a connection that is being opened fails, others go on for as long as they have time. So do joins, which have the path manager to look after them. */
export function tellUnreachable(
  connections: Iterable<Connection>,
  via: NetworkInterface,
  neighbour: IpAddress,
  now: number,
): void {
  for (const connection of connections)
    for (const { endpoint, local } of connection.subflows) {
      if (local.interfaceIndex !== via.index || via.nextHop(endpoint.remoteAddress) !== neighbour) continue;
      endpoint.handleSilentNeighbour(!connection.established, now);
      connection.environment.wake(connection);
    }
}

import { advertiseFurtherAddresses, type ManagedConnection, type PathManager } from "./path-manager.ts";

/**
 * The listener announces its further addresses, and the initiator opens one subflow to each: from where its first came, or, while that interface is down, from
 * another address. What the kernel's path manager does with endpoints that have the flag `signal` on a server alone.
 */
export class Signal implements PathManager {
  readonly name = "signal";

  update(connection: ManagedConnection, now: number): undefined {
    if (!connection.initiator) {
      advertiseFurtherAddresses(connection, now);
      return;
    }
    const { localAddresses, initialLocalAddress, subflows } = connection;
    const own = localAddresses.filter(({ address }) => address === initialLocalAddress);
    const others = localAddresses.filter(({ address }) => address !== initialLocalAddress);
    for (const remote of connection.remoteAddresses) {
      if (subflows.some(({ remoteAddress }) => remoteAddress === remote.address)) continue;
      for (const local of [...own, ...others]) if (connection.openSubflow(local, remote, now) === "opened") break;
    }
  }
}

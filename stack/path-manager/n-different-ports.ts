import type { ManagedConnection, PathManager } from "./path-manager.ts";

/**
 * Several subflows between the two addresses of the first, each from a port of its own: in a network that spreads flows over paths of equal cost by their
 * 5-tuple, as data centres do, each finds a path by chance (Raiciu et al., SIGCOMM 2011; `ndiffports` of the first Linux implementation).
 */
export class NDifferentPorts implements PathManager {
  readonly name = "n-different-ports";
  readonly #wanted: number;

  /** @param wanted subflows of a connection, the first among them */
  constructor(wanted: number) {
    this.#wanted = wanted;
  }

  update(connection: ManagedConnection, now: number): undefined {
    if (!connection.initiator) return;
    const { localAddresses, initialLocalAddress } = connection;
    // When that of the first is gone for good, another takes its place.
    const local = localAddresses.find(({ address }) => address === initialLocalAddress) ?? localAddresses[0];
    const remote = connection.remoteAddresses.find(({ addressId }) => addressId === 0);
    if (local === undefined || remote === undefined) return;
    while (connection.openSubflow(local, remote, now, { count: this.#wanted }) === "opened");
  }
}

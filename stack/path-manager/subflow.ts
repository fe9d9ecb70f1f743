import type { ManagedConnection, PathManager } from "./path-manager.ts";

/** From each address of the initiator to the first of the peer, which announces none: what the kernel's path manager does with endpoints that have the flag `subflow` on a client. */
export class SubflowFromEach implements PathManager {
  readonly name = "subflow";

  update(connection: ManagedConnection, now: number): undefined {
    if (!connection.initiator) return;
    const first = connection.remoteAddresses.find(({ addressId }) => addressId === 0);
    if (first === undefined) return;
    for (const local of connection.localAddresses) connection.openSubflow(local, first, now);
  }
}

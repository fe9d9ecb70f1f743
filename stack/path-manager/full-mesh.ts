import { advertiseFurtherAddresses, type ManagedConnection, type PathManager } from "./path-manager.ts";

/**
 * The initiator opens a subflow from each of its addresses to each address of the peer. The listener only advertises its further addresses: a client behind a NAT
 * could not be reached anyway (RFC 8684 §2.2).
 */
export class FullMesh implements PathManager {
  readonly name = "full-mesh";

  update(connection: ManagedConnection, now: number): undefined {
    if (!connection.initiator) {
      advertiseFurtherAddresses(connection, now);
      return;
    }
    for (const local of connection.localAddresses)
      for (const remote of connection.remoteAddresses) connection.openSubflow(local, remote, now);
  }
}

import {
  advertiseFurtherAddresses,
  type ManagedConnection,
  type ManagedSubflow,
  type PathManager,
} from "./path-manager.ts";

/**
 * A full mesh in which all but the first pair of addresses stand by (backup mode of Paasch et al., CellNet 2012): their subflows are opened with flag B, made regular
 * by MP_PRIO when the first has ended or is silent, and backups again when it is back (RFC 8684 §3.3.8).
 */
export class Backup implements PathManager {
  readonly name = "backup";

  update(connection: ManagedConnection, now: number): undefined {
    if (!connection.initiator) {
      advertiseFurtherAddresses(connection, now);
      return;
    }
    const { initialLocalAddress, initialRemoteAddress } = connection;
    for (const local of connection.localAddresses)
      for (const remote of connection.remoteAddresses) {
        const isFirst = local.address === initialLocalAddress && remote.address === initialRemoteAddress;
        connection.openSubflow(local, remote, now, { backup: !isFirst });
      }
    const isFirst = ({ localAddress, remoteAddress }: ManagedSubflow): boolean =>
      localAddress === initialLocalAddress && remoteAddress === initialRemoteAddress;
    const standBy = connection.subflows.some((subflow) => isFirst(subflow) && subflow.usable && !subflow.stale);
    for (const subflow of connection.subflows)
      if (!isFirst(subflow) && subflow.usable && subflow.backup !== standBy)
        connection.setBackup(subflow, standBy, now);
  }
}

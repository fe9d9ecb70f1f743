import {
  advertiseFurtherAddresses,
  type ManagedConnection,
  type ManagedSubflow,
  type PathManager,
} from "./path-manager.ts";

/** After so much silence the peer is asked for a sign of life: who only receives has no timeout that would tell. */
const silenceMicroseconds = 500_000;
/** Two SYNs have had their time (RFC 6298 §2). */
const handshakeMicroseconds = 3_000_000;
/** Timeouts in a row that end a subflow: one may be spurious. */
const timeoutLimit = 2;

/**
 * One subflow at a time, and the next only when the one before has ended: a host that goes from one network to another breaks before it makes (single-path mode of
 * Paasch et al., CellNet 2012). A silent subflow is given up where there is another way to go. Listeners announce their addresses, so that there are ways.
 */
export class SinglePath implements PathManager {
  readonly name = "single-path";
  /** When something last came before the peer was asked, so that one silence is asked about once. */
  #askedAfter = -1;

  update(connection: ManagedConnection, now: number): number | undefined {
    if (!connection.initiator) {
      advertiseFurtherAddresses(connection, now);
      return undefined;
    }
    const [current] = connection.subflows;
    if (current === undefined) {
      this.#openNext(connection, now);
      return undefined;
    }
    if (!this.#hasOther(connection, current, now)) return now + silenceMicroseconds;
    if (current.consecutiveTimeouts >= timeoutLimit) {
      connection.closeSubflow(current, "timeout", now);
      return undefined;
    }
    if (!current.usable) {
      if (now >= current.heardAt + handshakeMicroseconds) connection.closeSubflow(current, "timeout", now);
      return now + silenceMicroseconds;
    }
    if (current.heardAt === this.#askedAfter) return now + silenceMicroseconds;
    const due = current.heardAt + silenceMicroseconds;
    if (now < due) return due;
    this.#askedAfter = current.heardAt;
    connection.checkSubflow(current, now);
    return now + silenceMicroseconds;
  }

  #openNext(connection: ManagedConnection, now: number): void {
    for (const local of connection.localAddresses)
      for (const remote of connection.remoteAddresses)
        if (connection.openSubflow(local, remote, now) === "opened") return;
  }

  /** There is another way to go. */
  #hasOther(connection: ManagedConnection, current: ManagedSubflow, now: number): boolean {
    return connection.localAddresses.some((local) =>
      connection.remoteAddresses.some(
        (remote) =>
          (local.address !== current.localAddress || remote.address !== current.remoteAddress) &&
          connection.canOpen(local, remote, now),
      ),
    );
  }
}

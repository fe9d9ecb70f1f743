import type { SubflowCloseReason } from "../events.ts";
import type { IpAddress } from "../wire/ip-address.ts";
import { JoinBackOff } from "./join-back-off.ts";
import type { ManagedConnection, PathManager } from "./path-manager.ts";

/** A pair that has never answered is asked again, ever more rarely: the path to it may appear, but most likely there is none. */
const lastRetryOfUnanswered = 300_000_000;

interface Pair {
  local: IpAddress;
  remote: IpAddress;
  backOff: JoinBackOff;
}

/**
 * The initiator opens a subflow from each of its addresses to each address of the peer, and again, with back-off, when one dies. The listener
 * only advertises its further addresses: a client behind a NAT could not be reached anyway (RFC 8684 §2.2).
 */
export class FullMesh implements PathManager {
  readonly name: string = "full-mesh";
  nextTimeout: number = Number.POSITIVE_INFINITY;
  readonly #pairs: Pair[] = [];
  readonly #advertised = new Set<IpAddress>();

  /** Subflows that the initiator wants at once. */
  protected get wanted(): number {
    return Number.POSITIVE_INFINITY;
  }

  update(connection: ManagedConnection, now: number): void {
    this.nextTimeout = Number.POSITIVE_INFINITY;
    if (connection.initiator) this.#openMissing(connection, now);
    else this.#advertise(connection, now);
  }

  onSubflowEstablished(local: IpAddress, remote: IpAddress, now: number): void {
    this.#backOff(local, remote).onEstablished(now);
  }

  onSubflowClosed(
    connection: ManagedConnection,
    local: IpAddress,
    remote: IpAddress,
    reason: SubflowCloseReason,
    permanent: boolean,
    now: number,
  ): void {
    if (!connection.initiator) return;
    const backOff = this.#backOff(local, remote);
    if (reason === "interface-down" || reason === "address-removed") {
      backOff.reset();
      this.nextTimeout = now; // The address may be back by now, and only this subflow was in the way.
      return;
    }
    connection.noteRetry(local, remote, backOff.onClosed(permanent, now), now);
    this.nextTimeout = Math.min(this.nextTimeout, backOff.retryAt);
  }

  #openMissing(connection: ManagedConnection, now: number): void {
    let living = this.#living(connection);
    for (const local of connection.localAddresses) {
      if (!local.up) continue;
      for (const remote of connection.remoteAddresses) {
        if (living >= this.wanted) return;
        if (connection.hasSubflow(local.address, remote) || !connection.hasRoute(local, remote.address)) continue;
        const { retryAt } = this.#backOff(local.address, remote.address);
        if (retryAt <= now) {
          connection.createSubflow(local, remote, now);
          living++;
        } else this.nextTimeout = Math.min(this.nextTimeout, retryAt);
      }
    }
  }

  #living(connection: ManagedConnection): number {
    let living = 0;
    for (const { address } of connection.localAddresses)
      for (const remote of connection.remoteAddresses) if (connection.hasSubflow(address, remote)) living++;
    return living;
  }

  #advertise(connection: ManagedConnection, now: number): void {
    for (const local of connection.localAddresses) {
      if (!local.up) this.#advertised.delete(local.address);
      else if (local.address !== connection.initialLocalAddress && !this.#advertised.has(local.address)) {
        this.#advertised.add(local.address);
        connection.advertiseAddress(local, now);
      }
    }
  }

  #backOff(local: IpAddress, remote: IpAddress): JoinBackOff {
    let pair = this.#pairs.find((known) => known.local === local && known.remote === remote);
    if (pair === undefined) {
      pair = { local, remote, backOff: new JoinBackOff(lastRetryOfUnanswered) };
      this.#pairs.push(pair);
    }
    return pair.backOff;
  }
}

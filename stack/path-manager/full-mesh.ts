import type { SubflowCloseReason } from "../events.ts";
import type { IpAddress } from "../wire/ip-address.ts";
import type { ManagedConnection, PathManager } from "./path-manager.ts";

const firstRetry = 200_000;
const lastRetry = 8_000_000;
/** A pair that has never answered is asked again, ever more rarely: the path to it may appear, but most likely there is none. */
const lastRetryOfUnanswered = 300_000_000;

interface Pair {
  local: IpAddress;
  remote: IpAddress;
  retryAt: number;
  delay: number;
  answered: boolean;
  /** Infinity: there is no subflow. */
  establishedAt: number;
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

  update(connection: ManagedConnection, now: number): void {
    this.nextTimeout = Number.POSITIVE_INFINITY;
    if (connection.initiator) this.#openMissing(connection, now);
    else this.#advertise(connection, now);
  }

  onSubflowEstablished(local: IpAddress, remote: IpAddress, now: number): void {
    const pair = this.#pair(local, remote);
    pair.establishedAt = now;
    pair.answered = true;
  }

  onSubflowClosed(
    connection: ManagedConnection,
    local: IpAddress,
    remote: IpAddress,
    reason: SubflowCloseReason,
    now: number,
  ): void {
    if (!connection.initiator) return;
    const pair = this.#pair(local, remote);
    if (reason === "interface-down" || reason === "address-removed") {
      // Its return is an event of its own, and then there is nothing to wait for.
      pair.retryAt = 0;
      pair.delay = firstRetry;
      return;
    }
    // One that was reset as soon as it carried data was no success: options get lost there.
    if (now - pair.establishedAt > lastRetry) pair.delay = firstRetry;
    pair.establishedAt = Number.POSITIVE_INFINITY;
    pair.retryAt = now + pair.delay;
    connection.noteRetry(local, remote, pair.delay, now);
    pair.delay = Math.min(pair.answered ? lastRetry : lastRetryOfUnanswered, pair.delay * 2);
    if (pair.retryAt < this.nextTimeout) this.nextTimeout = pair.retryAt;
  }

  #openMissing(connection: ManagedConnection, now: number): void {
    for (const local of connection.localAddresses) {
      if (!local.up) continue;
      for (const remote of connection.remoteAddresses) {
        if (connection.hasSubflow(local.address, remote) || !connection.hasRoute(local, remote.address)) continue;
        const pair = this.#pair(local.address, remote.address);
        if (pair.retryAt <= now) connection.createSubflow(local, remote, now);
        else if (pair.retryAt < this.nextTimeout) this.nextTimeout = pair.retryAt;
      }
    }
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

  #pair(local: IpAddress, remote: IpAddress): Pair {
    let pair = this.#pairs.find((known) => known.local === local && known.remote === remote);
    if (pair === undefined) {
      pair = { local, remote, retryAt: 0, delay: firstRetry, answered: false, establishedAt: Number.POSITIVE_INFINITY };
      this.#pairs.push(pair);
    }
    return pair;
  }
}

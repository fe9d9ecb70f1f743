import type { SubflowCloseReason } from "../events.ts";
import type { IpAddress } from "../wire/ip-address.ts";
import { JoinBackOff } from "./join-back-off.ts";
import type { ManagedConnection, PathManager } from "./path-manager.ts";

/**
 * Several subflows between the two addresses of the first, each from a port of its own: in a network that spreads flows over paths of equal cost by their
 * 5-tuple, as data centres do, each finds a path by chance (Raiciu et al., SIGCOMM 2011; `ndiffports` of the first Linux implementation).
 */
export class NDifferentPorts implements PathManager {
  readonly name: string = "n-different-ports";
  nextTimeout: number = Number.POSITIVE_INFINITY;
  readonly #wanted: number;
  /** The initial one is there before anything is asked of us. */
  #living = 1;
  /** One wait for all: those that close together come back together. */
  readonly #backOff = new JoinBackOff();

  /** @param wanted subflows of a connection, the first among them */
  constructor(wanted: number) {
    this.#wanted = wanted;
  }

  update(connection: ManagedConnection, now: number): void {
    this.nextTimeout = Number.POSITIVE_INFINITY;
    if (!connection.initiator || this.#living >= this.#wanted) return;
    const local = connection.localAddresses.find(({ address }) => address === connection.initialLocalAddress);
    const remote = connection.remoteAddresses.find(({ addressId }) => addressId === 0);
    if (local === undefined || remote === undefined || !local.up || !connection.hasRoute(local, remote.address)) return;
    if (this.#backOff.retryAt > now) {
      this.nextTimeout = this.#backOff.retryAt;
      return;
    }
    while (this.#living < this.#wanted) {
      this.#living++;
      connection.createSubflow(local, remote, now);
    }
  }

  onSubflowEstablished(_local: IpAddress, _remote: IpAddress, now: number): void {
    this.#backOff.onEstablished(now);
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
    this.#living--;
    if (reason === "interface-down" || reason === "address-removed") {
      this.#backOff.reset();
      return;
    }
    if (this.#backOff.retryAt <= now) connection.noteRetry(local, remote, this.#backOff.onClosed(permanent, now), now);
    this.nextTimeout = this.#backOff.retryAt;
  }
}

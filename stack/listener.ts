/** A port that accepts connections. */

import type { Connection } from "./mptcp/connection.ts";
import { type IpAddress, isIpv6, isUnspecified } from "./wire/ip-address.ts";

/** A half-open connection that has had so long to answer may make room for another: its first SYN/ACK has been sent again by then (RFC 6298 §2). */
const halfOpenGrace = 1_000_000;

export class Listener {
  readonly port: number;
  /** undefined: every address of the host; an unspecified address: every one of its family. */
  readonly address: IpAddress | undefined;
  /** Told by `Host.deliverNotifications` that `accept` has something. */
  onConnection: (() => void) | undefined;
  readonly #backlog: number;
  readonly #close: (listener: Listener) => void;
  /** When each arrived; the oldest first. */
  readonly #halfOpen = new Map<Connection, number>();
  #acceptable: Connection[] = [];

  constructor(port: number, address: IpAddress | undefined, backlog: number, close: (listener: Listener) => void) {
    this.port = port;
    this.address = address;
    this.#backlog = backlog;
    this.#close = close;
  }

  /** Whether connections to `destination` are for this listener. */
  takes(destination: IpAddress): boolean {
    const { address } = this;
    if (address === undefined || address === destination) return true;
    return isUnspecified(address) && isIpv6(address) === isIpv6(destination);
  }

  /** Whether another on the same port, for `address` as here, would take connections from it. */
  overlaps(address: IpAddress | undefined): boolean {
    if (address === undefined || this.address === undefined) return true;
    return this.takes(address) || (isUnspecified(address) && isIpv6(address) === isIpv6(this.address));
  }

  /** An established connection that nobody has taken yet. */
  accept(): Connection | undefined {
    return this.#acceptable.shift();
  }

  /** No new connections; those that were not accepted are reset. */
  close(now: number): void {
    this.#close(this);
    for (const connection of [...this.#halfOpen.keys(), ...this.#acceptable]) connection.abort(now);
    this.#halfOpen.clear();
    this.#acceptable = [];
  }

  /** Whether one more may come. SYNs from nowhere do not fill the backlog for long: the oldest is given up for a new one (RFC 4987 §3.3). */
  makeRoom(now: number): boolean {
    if (this.#halfOpen.size + this.#acceptable.length < this.#backlog) return true;
    for (const [connection, since] of this.#halfOpen) {
      if (now - since < halfOpenGrace) return false;
      this.#halfOpen.delete(connection);
      connection.abort(now);
      return true;
    }
    return false;
  }

  get hasAcceptable(): boolean {
    return this.#acceptable.length > 0;
  }

  addHalfOpen(connection: Connection, now: number): void {
    this.#halfOpen.set(connection, now);
  }

  /** The handshake is done. */
  promote(connection: Connection): void {
    if (this.#halfOpen.delete(connection)) this.#acceptable.push(connection);
  }

  /** The connection ended before it was established. */
  forget(connection: Connection): void {
    this.#halfOpen.delete(connection);
  }
}

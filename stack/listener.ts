/** A port that accepts connections. */

import type { Connection } from "./mptcp/connection.ts";
import type { IpAddress } from "./wire/ip-address.ts";

export class Listener {
  readonly port: number;
  /** undefined: every address of the host. */
  readonly address: IpAddress | undefined;
  /** Told by `Host.deliverNotifications` that `accept` has something. */
  onConnection: (() => void) | undefined;
  readonly #backlog: number;
  readonly #close: (listener: Listener) => void;
  readonly #halfOpen = new Set<Connection>();
  #acceptable: Connection[] = [];

  constructor(port: number, address: IpAddress | undefined, backlog: number, close: (listener: Listener) => void) {
    this.port = port;
    this.address = address;
    this.#backlog = backlog;
    this.#close = close;
  }

  /** An established connection that nobody has taken yet. */
  accept(): Connection | undefined {
    return this.#acceptable.shift();
  }

  /** No new connections; those that were not accepted are reset. */
  close(now: number): void {
    this.#close(this);
    for (const connection of [...this.#halfOpen, ...this.#acceptable]) connection.abort(now);
    this.#halfOpen.clear();
    this.#acceptable = [];
  }

  get hasRoom(): boolean {
    return this.#halfOpen.size + this.#acceptable.length < this.#backlog;
  }

  get hasAcceptable(): boolean {
    return this.#acceptable.length > 0;
  }

  addHalfOpen(connection: Connection): void {
    this.#halfOpen.add(connection);
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

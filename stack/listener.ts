/** A port that accepts connections. */

import type { Algorithms } from "./mptcp/algorithms.ts";
import type { Connection } from "./mptcp/connection.ts";
import { cookieLifetimeMicroseconds } from "./tcp/syn-cookies.ts";
import type { SynCookiePolicy } from "./tcp/tcp-options.ts";
import { type IpAddress, isIpv6, isUnspecified } from "./wire/ip-address.ts";

/** A half-open connection that has had so long to answer may make room for another: its first SYN/ACK has been sent again by then (RFC 6298 §2). */
const halfOpenGrace = 1_000_000;

export type Admission = "remember" | "cookie" | "drop";

export interface ListenerOptions {
  port: number;
  /** undefined: every address of the host. */
  address: IpAddress | undefined;
  /** Connections that are half open or wait to be accepted. */
  backlog: number;
  synCookies: SynCookiePolicy;
  /** Data of a SYN are taken (RFC 7413). */
  fastOpen: boolean;
  /** Of its connections. */
  algorithms: Algorithms;
  /** The listener is no more. */
  close: (listener: Listener) => void;
}

export class Listener {
  readonly port: number;
  /** undefined: every address of the host; an unspecified address: every one of its family. */
  readonly address: IpAddress | undefined;
  readonly fastOpen: boolean;
  readonly algorithms: Algorithms;
  /** Told by `Host.deliverNotifications` that `accept` has something. */
  onConnection: (() => void) | undefined;
  readonly #backlog: number;
  readonly #synCookies: SynCookiePolicy;
  readonly #close: (listener: Listener) => void;
  /** When a cookie was last given out. */
  #cookieAt: number = Number.NEGATIVE_INFINITY;
  /** When each arrived; the oldest first. */
  readonly #halfOpen = new Map<Connection, number>();
  #acceptable: Connection[] = [];

  constructor(options: ListenerOptions) {
    this.port = options.port;
    this.address = options.address;
    this.#backlog = options.backlog;
    this.#synCookies = options.synCookies;
    this.fastOpen = options.fastOpen;
    this.algorithms = options.algorithms;
    this.#close = options.close;
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

  /** What becomes of a SYN: a half-open connection, an answer of which nothing is remembered, or nothing. */
  admit(now: number): Admission {
    if (this.#synCookies === "always") return this.hasRoom ? this.#cookie(now) : "drop";
    if (this.#halfOpen.size + this.#acceptable.length < this.#backlog) return "remember";
    // Cookies make room in the queue of the half open, not in that of those which nobody accepts.
    if (this.#synCookies === "when-full") return this.hasRoom ? this.#cookie(now) : "drop";
    return this.#makeRoom(now) ? "remember" : "drop";
  }

  /** A segment may be the answer to a cookie: some were given out a short time ago. */
  expectsCookies(now: number): boolean {
    return now - this.#cookieAt < cookieLifetimeMicroseconds;
  }

  /** One more may wait to be accepted. */
  get hasRoom(): boolean {
    return this.#acceptable.length < this.#backlog;
  }

  #cookie(now: number): Admission {
    this.#cookieAt = now;
    return "cookie";
  }

  /** Without cookies SYNs from nowhere do not fill the backlog for long: the oldest is given up for a new one (RFC 4987 §3.4). */
  #makeRoom(now: number): boolean {
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

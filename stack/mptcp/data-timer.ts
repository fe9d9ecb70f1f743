/**
 * The timer of the data level: data that subflows have acknowledged and DATA_ACK has not, a DATA_FIN without an answer, a closed window (RFC 8684 §3.3.3, §3.3.6).
 */

import type { Connection } from "./connection.ts";
import type { DataSender } from "./data-sender.ts";
import { FallbackDoubt } from "./fallback-doubt.ts";

/** Microseconds, as all times here. */
const minimumTimeout = 400_000;
const maximumTimeout = 60_000_000;
/** As for a subflow (R2 of RFC 9293 §3.8.3): after so long without a DATA_ACK the connection is given up, whatever its subflows acknowledge. */
const maximumSilence = 120_000_000;

export class DataTimer {
  nextTimeout: number = Number.POSITIVE_INFINITY;
  readonly #connection: Connection;
  readonly #sender: DataSender;
  readonly #doubt = new FallbackDoubt();
  #backoff = 0;
  /** When a DATA_ACK last brought progress, or waiting for one began. */
  #answeredAt = -1;
  /** When the first of the window probes went out that nothing has answered. */
  #probedAt = -1;

  constructor(connection: Connection, sender: DataSender) {
    this.#connection = connection;
    this.#sender = sender;
  }

  /** Expiries in a row that no DATA_ACK has followed. */
  get expiries(): number {
    return this.#backoff;
  }

  get awaitsWindow(): boolean {
    return this.#probedAt >= this.#connection.heardAt;
  }

  /** A DATA_ACK has brought progress. */
  restart(now: number): void {
    this.#backoff = 0;
    this.#doubt.settle();
    this.#answeredAt = now;
    this.stop();
    this.arm(now);
  }

  stop(): void {
    this.nextTimeout = Number.POSITIVE_INFINITY;
  }

  /** Runs while there is something to wait for. */
  arm(now: number): void {
    const { plain, sendBuffer, subflows } = this.#connection;
    const isUnanswered = this.#sender.awaitsDataAck;
    if (!isUnanswered || this.#answeredAt < 0) this.#answeredAt = now;
    const hasMore = sendBuffer.end > this.#sender.next;
    const waits = plain
      ? hasMore && subflows.every(({ endpoint }) => endpoint.sender.outstanding === 0)
      : isUnanswered || hasMore;
    if (!waits) this.stop();
    else if (this.nextTimeout === Number.POSITIVE_INFINITY) this.nextTimeout = now + this.#timeout();
  }

  handleTimeout(now: number): void {
    if (now < this.nextTimeout) return;
    const timeout = this.#timeout();
    this.stop();
    this.#backoff++;
    const connection = this.#connection;
    const sender = this.#sender;
    if (!connection.plain && sender.awaitsDataAck) {
      if (now - this.#answeredAt > this.#patience) {
        connection.lifetime.giveUp("ETIMEDOUT", now);
        return;
      }
      connection.fallback.onDataTimeout(now);
    }
    if (!connection.plain && sender.hasUnacknowledgedData) this.#retransmit(timeout, now);
    else if (!connection.plain && sender.awaitsDataAck) sender.requestFin();
    else if (connection.sendBuffer.end > sender.next) this.#probeWindow(timeout, now);
    if (!connection.closed) this.arm(now);
  }

  /** RFC 8684 §3.3.6; as long as a live subflow holds the data, it sends them again itself. */
  #retransmit(timeoutMicroseconds: number, now: number): void {
    const connection = this.#connection;
    const sender = this.#sender;
    if (sender.isHeadHeld) return;
    const lone = connection.subflowSet.peerMayFallBack ? connection.subflows.find(({ usable }) => usable) : undefined;
    if (lone !== undefined && !this.#doubt.isSettledAtTimeout(lone, now)) {
      connection.environment.trace.fallback?.({
        time: now,
        name: "mptcp:retransmission-withheld",
        connection: connection.id,
        subflow: lone.id,
        section: "RFC 8684 §3.7",
        unacknowledgedBytes: sender.next - sender.unacknowledged,
        timeouts: this.#doubt.timeouts,
      });
      lone.endpoint.requestProbe();
      return;
    }
    sender.reinjectHead();
    connection.environment.record({
      time: now,
      name: "mptcp:data-timeout",
      connection: connection.id,
      section: "RFC 8684 §3.3.6",
      unacknowledgedBytes: sender.next - sender.unacknowledged,
      timeoutMicroseconds,
    });
  }

  /**
   * A closed window is waited for as long as the peer tells it (RFC 9293 §3.8.6.1, MUST-37), and no longer. With MPTCP only a DATA_ACK does (RFC 8684 §3.3.5): where
   * options have vanished, the subflow's answer tells nothing.
   */
  #probeWindow(timeoutMicroseconds: number, now: number): void {
    const { plain, lifetime, fallback, subflows, sendBuffer, environment, id } = this.#connection;
    if (this.awaitsWindow) {
      if (now - this.#probedAt > this.#patience) {
        lifetime.giveUp("ETIMEDOUT", now);
        return;
      }
      if (!plain) fallback.onDataTimeout(now);
    } else this.#probedAt = now;
    environment.trace["flow-control"]?.({
      time: now,
      name: "flow-control:window-probed",
      connection: id,
      section: "RFC 9293 §3.8.6.1",
      pendingBytes: sendBuffer.end - this.#sender.next,
      unansweredForMicroseconds: now - this.#probedAt,
      timeoutMicroseconds,
    });
    for (const { usable, endpoint } of subflows) if (usable) endpoint.requestProbe();
  }

  /** Not less than what any of its subflows has (RFC 5482 §3.1). */
  get #patience(): number {
    let patience = maximumSilence;
    for (const { endpoint } of this.#connection.subflows)
      patience = Math.max(patience, endpoint.userTimeoutMicroseconds);
    return patience;
  }

  /** Twice the longest round trip of a subflow, and twice that for each expiry without an answer. */
  #timeout(): number {
    let slowest = 0;
    for (const { endpoint, usable } of this.#connection.subflows) {
      if (!usable) continue;
      const { smoothed, variation } = endpoint.sender.rtt;
      const patience = smoothed + 4 * variation;
      if (patience > slowest) slowest = patience;
    }
    return Math.min(maximumTimeout, Math.max(minimumTimeout, 2 * slowest) * (1 << Math.min(20, this.#backoff)));
  }
}

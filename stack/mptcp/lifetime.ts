/** From the handshake to the end: when a connection is established, what the end of a subflow means to it, and how it ends itself (RFC 8684 §3.3.3, §3.5). */

import type { SubflowCloseReason } from "../events.ts";
import { resetReason } from "../wire/mptcp-options.ts";
import type { Connection } from "./connection.ts";
import type { ConnectionErrorCode } from "./connection-observer.ts";
import { FastClose } from "./fast-close.ts";
import type { Subflow } from "./subflow.ts";

/** So many joins refused, since the last subflow ended, by a peer that may have forgotten the connection, are the end of it. */
const refusedJoinLimit = 3;

export class Lifetime {
  established = false;
  closed = false;
  /** Both streams have been exchanged: the subflows close. */
  closing = false;
  /** The application has given the connection up, which the peer is told by MP_FASTCLOSE. */
  fastClosing = false;
  /** It is told so on an acknowledgement. */
  #fastClose: FastClose | undefined;
  readonly #connection: Connection;
  #remoteEnded = false;
  #refusedJoins = 0;
  #orphanAt: number = Number.POSITIVE_INFINITY;
  #orphanedBy: SubflowCloseReason = "timeout";
  nextTimeout: number = Number.POSITIVE_INFINITY;

  constructor(connection: Connection) {
    this.#connection = connection;
  }

  handleTimeout(now: number): void {
    this.#fastClose?.handleTimeout(now);
    this.#schedule();
    if (now >= this.#orphanAt) this.giveUp(this.#orphanedBy === "reset-by-peer" ? "ECONNRESET" : "ETIMEDOUT", now);
  }

  /** The peer cannot be reached any more. */
  giveUp(error: ConnectionErrorCode, now: number): void {
    this.end(error, now);
    this.#connection.subflowSet.abortAll(now);
  }

  onSubflowEstablished(subflow: Subflow, now: number): void {
    const connection = this.#connection;
    const { environment, notifications } = connection;
    this.#orphanAt = Number.POSITIVE_INFINITY;
    this.#schedule();
    this.#refusedJoins = 0;
    connection.subflowSet.established++;
    if (subflow.joinConfirmed) connection.subflowSet.confirmed++;
    environment.record({
      time: now,
      name: "mptcp:subflow-established",
      connection: connection.id,
      subflow: subflow.id,
      section: subflow.isJoin ? "RFC 8684 §3.2" : "RFC 8684 §3.1",
      backup: subflow.backup,
      handshakeMicroseconds: now - subflow.endpoint.handshakeStartedAt,
      ...subflow.addresses,
    });
    subflow.thirdAck.begin(now);
    connection.paths.onSubflowEstablished(subflow, now);
    if (subflow.isJoin) return;
    this.established = true;
    notifications.established = true;
    environment.record({
      time: now,
      name: "connection:established",
      connection: connection.id,
      section: "RFC 9293 §3.5",
      mptcp: !connection.plain,
      fallbackReason: connection.fallback.reason,
    });
    environment.notify(connection);
    connection.onAcceptable?.();
  }

  onSubflowClosed(subflow: Subflow, reason: SubflowCloseReason, now: number): void {
    this.#recordSubflowClosed(subflow, reason, now);
    const connection = this.#connection;
    connection.environment.wake(connection);
    if (this.closed) return;
    if (!this.established) {
      if (reason === "refused" && !connection.plain) {
        // A middlebox may answer an option that it does not know with RST: once more without it, which costs a round trip where nobody listens.
        connection.fallback.refuse("syn-with-option-reset", now);
        connection.subflowSet.reopen(now);
        return;
      }
      this.end(errorOfAttempt(reason), now);
      return;
    }
    if (!connection.plain && connection.peerKey === undefined) {
      // Data came with the SYN, and nothing after it (RFC 7413 §4.2.2).
      this.end(errorOfPlain(reason), now);
      return;
    }
    if (connection.plain) {
      if (subflow.infiniteMapping !== undefined)
        this.end(reason === "finished" && this.#remoteEnded ? undefined : errorOfPlain(reason), now);
      return;
    }
    if (reason === "finished" && this.exchangedAll) {
      // The peer has ended: only the acknowledgement of our DATA_FIN is missing, and the FIN of its last subflow says as much.
      if (connection.subflowSet.live === 0) this.end(undefined, now);
      return;
    }
    connection.paths.onSubflowClosed(subflow, reason, now);
    // Attempts that nobody answers keep no connection alive.
    if (connection.subflowSet.hasEstablished) return;
    // RST ends the subflow only (RFC 8684 §3.5): a NAT may have sent it. A peer that has forgotten the connection refuses joins as well.
    const mayBeForgotten = reason === "refused" && !knowsConnection(subflow.peerResetReason);
    if (mayBeForgotten && ++this.#refusedJoins >= refusedJoinLimit) this.giveUp("ECONNRESET", now);
    else if (this.#orphanAt === Number.POSITIVE_INFINITY) {
      this.#orphanAt = now + connection.environment.policy.closeTimeoutMicroseconds;
      this.#orphanedBy = reason;
      this.#schedule();
    }
  }

  /** A subflow's FIN ends the subflow, not the stream (RFC 8684 §3.3.3); as plain TCP, the stream. */
  onSubflowFin(subflow: Subflow, now: number): void {
    const { plain, fallback, dataSender, subflows } = this.#connection;
    if (!plain && !this.closed) fallback.onFin(subflow, now);
    if (this.#connection.plain) {
      this.onRemoteEnd();
      return;
    }
    // The last one carries what is still ours to send: a peer that has fallen back, of which nothing has told us yet, would take our FIN for the end of that.
    if (!dataSender.owesData || subflows.some((other) => other !== subflow && other.usable))
      subflow.endpoint.close(now);
  }

  /** All that the peer sent has come. */
  onRemoteEnd(): void {
    if (this.#remoteEnded) return;
    this.#remoteEnded = true;
    this.#connection.notifications.remoteEnd = true;
    this.#connection.environment.notify(this.#connection);
  }

  /** The application gives up both directions at once: MP_FASTCLOSE (RFC 8684 §3.5), or, as plain TCP, RST. */
  abort(now: number): void {
    const connection = this.#connection;
    if (this.closed) return;
    this.fastClosing = !connection.plain && connection.peerKey !== undefined;
    if (this.fastClosing) this.#recordFastClose("local", now);
    this.end(undefined, now);
    if (this.fastClosing && connection.environment.policy.fastClose === "acknowledgement") {
      const carrier = connection.subflowSet.bestForSignals;
      if (carrier !== undefined) this.#fastClose = new FastClose(carrier, now);
      this.#schedule();
    }
    for (const { endpoint } of connection.subflows)
      if (endpoint !== this.#fastClose?.carrier.endpoint) endpoint.abort("aborted", now);
  }

  /** What `subflow` sends from here on carries MP_FASTCLOSE: everything of the one that announces it, or the RST of each. */
  announcesFastClose(subflow: Subflow): boolean {
    return this.fastClosing && (this.#fastClose === undefined || this.#fastClose.carrier === subflow);
  }

  /** MP_FASTCLOSE with our key: the peer has gone. On an acknowledgement it waits for our RST there too; on a RST it does not (RFC 8684 §3.5). */
  onFastClose(carrier: Subflow, onReset: boolean, now: number): void {
    this.#recordFastClose("remote", now);
    this.end("ECONNRESET", now);
    if (onReset) carrier.endpoint.discard("reset-by-peer", now);
    this.#connection.subflowSet.abortAll(now);
  }

  /** Both directions have ended and all is acknowledged: the subflows close (RFC 8684 §3.3.3). */
  finishIfDone(now: number): void {
    const { plain, subflows, dataSender, reassembly } = this.#connection;
    if (plain) {
      const state = subflows[0]?.endpoint.state;
      if (this.#remoteEnded && (state === "time-wait" || (state === "closed" && dataSender.finSent)))
        this.end(undefined, now);
      return;
    }
    if (!reassembly.complete || !dataSender.finAcknowledged) return;
    this.closing = true;
    for (const { endpoint } of subflows) endpoint.close(now);
    this.end(undefined, now);
  }

  #schedule(): void {
    this.nextTimeout = Math.min(this.#orphanAt, this.#fastClose?.nextTimeout ?? Number.POSITIVE_INFINITY);
  }

  end(error: ConnectionErrorCode | undefined, now: number): void {
    if (this.closed) return;
    const connection = this.#connection;
    const { environment, notifications } = connection;
    this.closed = true;
    this.#orphanAt = Number.POSITIVE_INFINITY;
    this.#schedule();
    if (!this.established) connection.onEndedEarly?.();
    if (!connection.plain) environment.unregisterToken(connection.localKey!.token);
    connection.dataSender.stop(now);
    connection.reassembly.clear();
    connection.sendBuffer.clear();
    notifications.closed = true;
    notifications.error = error;
    environment.record({
      time: now,
      name: "connection:closed",
      connection: connection.id,
      section: "RFC 9293 §3.10",
      error,
    });
    environment.notify(connection);
  }

  /** Every byte of both streams has arrived. */
  get exchangedAll(): boolean {
    const { dataSender, reassembly } = this.#connection;
    return reassembly.complete && dataSender.unacknowledged >= dataSender.finOffset;
  }

  #recordSubflowClosed(subflow: Subflow, reason: SubflowCloseReason, now: number): void {
    const connection = this.#connection;
    const { dataSender, sendBuffer } = connection;
    const mayReinject = !connection.plain && !this.closed;
    const unacknowledgedBytes = mayReinject
      ? dataSender.reinjectFrom(subflow, undefined)
      : // DATA_FIN counts as one of what is acknowledged.
        Math.max(0, sendBuffer.end - dataSender.unacknowledged);
    if (mayReinject) dataSender.reinjections.release(subflow.id);
    if (subflow.resetReason >= 0)
      connection.environment.record({
        time: now,
        name: "mptcp:reset-sent",
        connection: connection.id,
        subflow: subflow.id,
        section: "RFC 8684 §3.6",
        reasonCode: subflow.resetReason,
      });
    connection.environment.record({
      time: now,
      name: "mptcp:subflow-closed",
      connection: connection.id,
      subflow: subflow.id,
      section: mayReinject ? "RFC 8684 §3.3.6" : "RFC 9293 §3.10",
      reason,
      unacknowledgedBytes,
    });
  }

  #recordFastClose(initiator: "local" | "remote", now: number): void {
    this.#connection.environment.record({
      time: now,
      name: "mptcp:fast-close",
      connection: this.#connection.id,
      section: "RFC 8684 §3.5",
      initiator,
    });
  }
}

/** Who refuses a join for one of the further reasons has looked at the connection; an unknown token is an MPTCP-specific error (RFC 8684 §3.2, §3.6). */
function knowsConnection(peerResetReason: number): boolean {
  return peerResetReason > resetReason.mptcpSpecific;
}

function errorOfAttempt(reason: SubflowCloseReason): ConnectionErrorCode {
  if (reason === "refused" || reason === "reset-by-peer") return "ECONNREFUSED";
  if (reason === "unreachable") return "EHOSTUNREACH";
  return reason === "timeout" ? "ETIMEDOUT" : "ECONNABORTED";
}

function errorOfPlain(reason: SubflowCloseReason): ConnectionErrorCode {
  if (reason === "timeout") return "ETIMEDOUT";
  return reason === "unreachable" ? "EHOSTUNREACH" : "ECONNRESET";
}

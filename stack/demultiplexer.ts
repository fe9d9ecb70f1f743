/** To whom a segment belongs: to a subflow by its addresses and ports, to a connection by the token of MP_JOIN, to a listener by its port, or to nobody. */

import type { FallbackReason } from "./events.ts";
import { FlowTable } from "./flow-table.ts";
import type { Listener } from "./listener.ts";
import type { Connection } from "./mptcp/connection.ts";
import type { LocalAddress } from "./mptcp/connection-environment.ts";
import type { ConnectionKey } from "./mptcp/keys.ts";
import type { Subflow } from "./mptcp/subflow.ts";
import type { RestoredHandshake, StatelessHandshake } from "./stateless-handshake.ts";
import { resetFor } from "./tcp/reset-segment.ts";
import type { TransparentListener } from "./transparent-listener.ts";
import type { IcmpError } from "./wire/icmp-error.ts";
import { type IpAddress, isUnspecified } from "./wire/ip-address.ts";
import { capableFlag, mptcpPresent, resetReason } from "./wire/mptcp-options.ts";
import { tcpFlag, type TcpSegment } from "./wire/tcp-segment.ts";

/** What the demultiplexer asks of its host. */
export interface DemultiplexerHost {
  /** As `HostOptions.mptcp`. */
  readonly mptcp: boolean;
  readonly statelessHandshake: StatelessHandshake;
  /** One that a peer has opened, for `listener`, if there is one. */
  newConnection(
    listener: Listener | undefined,
    mptcp: boolean,
    plainReason: FallbackReason,
    key?: ConnectionKey,
  ): Connection;
  /** The connection may have something to send. */
  wake(connection: Connection): void;
  /** The listener has a connection to accept. */
  notifyListener(listener: Listener): void;
  /** Sends a segment that belongs to no connection. */
  reply(segment: TcpSegment, local: LocalAddress, now: number): void;
}

export class Demultiplexer {
  readonly flows = new FlowTable();
  readonly tokens = new Map<number, Connection>();
  readonly #host: DemultiplexerHost;
  readonly #listeners: Listener[] = [];
  /** Takes what no other does, from interfaces that bring packets for anybody. */
  transparentListener: TransparentListener | undefined;

  constructor(host: DemultiplexerHost) {
    this.#host = host;
  }

  /** Whether a listener for `address`, as `Listener.address`, would be in another's way. */
  isListening(port: number, address: IpAddress | undefined): boolean {
    return this.#listeners.some((other) => other.port === port && other.overlaps(address));
  }

  addListener(listener: Listener): void {
    this.#listeners.push(listener);
  }

  removeListener(listener: Listener): void {
    this.#listeners.splice(this.#listeners.indexOf(listener), 1);
  }

  /** An intact segment for `local`; only lent. */
  handleSegment(segment: TcpSegment, local: LocalAddress, now: number): void {
    const subflow = this.flows.find(segment.destination, segment.destinationPort, segment.source, segment.sourcePort);
    if (subflow !== undefined && !subflow.endpoint.closed && !this.#replacesOld(segment, subflow, now)) {
      subflow.endpoint.handleSegment(segment, now);
      this.#host.wake(subflow.connection);
      return;
    }
    if (segment.has(tcpFlag.rst)) {
      this.transparentListener?.handleReset(segment);
      return;
    }
    const isOpening = (segment.flags & (tcpFlag.syn | tcpFlag.ack)) === tcpFlag.syn;
    if (isOpening && isUnspecified(local.address) && this.transparentListener !== undefined) {
      this.transparentListener.handleSyn(segment, local);
      return;
    }
    if (isOpening && segment.mptcp.has(mptcpPresent.join)) {
      const connection = this.tokens.get(segment.mptcp.joinToken);
      const isComplete = connection !== undefined && segment.mptcp.joinLength === 12;
      const refusal = isComplete ? connection.acceptJoin(segment, local, now) : resetReason.mptcpSpecific;
      if (refusal >= 0) this.#reset(segment, local, refusal, now);
      return;
    }
    const listener = this.#listenerFor(segment);
    if (listener !== undefined && isOpening) this.#handleSyn(listener, segment, local, now);
    else if (listener === undefined || !this.#completes(listener, segment, local, now))
      this.#reset(segment, local, -1, now);
  }

  /** The connection that answers a SYN which was kept: plain TCP. */
  acceptKept(syn: TcpSegment, local: LocalAddress, now: number): Connection {
    const connection = this.#host.newConnection(undefined, false, "disabled");
    connection.acceptInitial(syn, local, now);
    return connection;
  }

  handleIcmpError(error: IcmpError, now: number): void {
    const subflow = this.flows.find(error.source, error.sourcePort, error.destination, error.destinationPort);
    if (subflow === undefined) return;
    subflow.endpoint.handleIcmpError(error, now);
    this.#host.wake(subflow.connection);
  }

  /** RFC 6191: a new SYN may take over from a connection in TIME-WAIT. */
  #replacesOld(segment: TcpSegment, subflow: Subflow, now: number): boolean {
    if (!subflow.endpoint.mayBeReplacedBy(segment, now)) return false;
    subflow.endpoint.discard("finished", now);
    this.flows.remove(subflow);
    this.#host.wake(subflow.connection);
    return true;
  }

  #handleSyn(listener: Listener, segment: TcpSegment, local: LocalAddress, now: number): void {
    switch (listener.admit(now)) {
      case "remember":
        this.#accept(listener, segment, local, now, undefined);
        return;
      case "cookie": {
        const capable = this.#host.mptcp && isSupported(segment);
        const { maximumSegmentSize } = local;
        this.#host.reply(this.#host.statelessHandshake.answer(segment, maximumSegmentSize, capable, now), local, now);
        return;
      }
      case "drop":
    }
  }

  /** The answer to a cookie makes the connection as if it had been remembered, and is then an ordinary segment of it. */
  #completes(listener: Listener, segment: TcpSegment, local: LocalAddress, now: number): boolean {
    if (!segment.has(tcpFlag.ack) || segment.has(tcpFlag.syn) || !listener.expectsCookies(now)) return false;
    const restored = this.#host.statelessHandshake.restore(segment, now);
    if (restored === undefined || (restored.key !== undefined && this.tokens.has(restored.key.token))) return false;
    if (!listener.hasRoom) return true; // The peer sends again, and there may be room then.
    this.#accept(listener, restored.syn, local, now, restored);
    this.handleSegment(segment, local, now);
    return true;
  }

  #accept(
    listener: Listener,
    segment: TcpSegment,
    local: LocalAddress,
    now: number,
    restored: RestoredHandshake | undefined,
  ): void {
    const asked = segment.mptcp.has(mptcpPresent.capable);
    const isAllowed = this.#host.mptcp;
    const reason: FallbackReason = !isAllowed ? "disabled" : asked ? "version-not-supported" : "peer-without-mptcp";
    const connection = this.#host.newConnection(listener, isAllowed && isSupported(segment), reason, restored?.key);
    listener.addHalfOpen(connection, now);
    connection.onAcceptable = () => {
      connection.onAcceptable = undefined;
      connection.onEndedEarly = undefined;
      listener.promote(connection);
      this.#host.notifyListener(listener);
    };
    connection.onEndedEarly = () => listener.forget(connection);
    connection.acceptInitial(segment, local, now, { cookie: restored?.cookie, fastOpen: listener.fastOpen });
  }

  #listenerFor(segment: TcpSegment): Listener | undefined {
    return this.#listeners.find(
      (listener) => listener.port === segment.destinationPort && listener.takes(segment.destination),
    );
  }

  /** `reason` of MP_TCPRST, -1: none. */
  #reset(received: TcpSegment, local: LocalAddress, reason: number, now: number): void {
    const reply = resetFor(received);
    if (reason >= 0) {
      reply.mptcp.present = mptcpPresent.reset;
      reply.mptcp.resetReason = reason;
    }
    this.#host.reply(reply, local, now);
  }
}

/** MP_CAPABLE of the version and with the algorithm that we speak (RFC 8684 §3.1). */
function isSupported({ mptcp }: TcpSegment): boolean {
  return (
    mptcp.has(mptcpPresent.capable) && mptcp.capableVersion === 1 && (mptcp.capableFlags & capableFlag.hmacSha256) !== 0
  );
}

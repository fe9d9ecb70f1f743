/** Connections to anybody: what an interface that is a way to everywhere brings is offered to the application before it is answered. */

import type { Connection } from "./mptcp/connection.ts";
import type { LocalAddress } from "./mptcp/connection-environment.ts";
import { resetFor } from "./tcp/reset-segment.ts";
import { formatIpAddress, keepAddress } from "./wire/ip-address.ts";
import { TcpSegment } from "./wire/tcp-segment.ts";

/** What the listener asks of the demultiplexer. */
export interface TransparentListenerHost {
  /** Answers `syn` with SYN/ACK, from `local`. */
  accept(syn: TcpSegment, local: LocalAddress, now: number): Connection;
  /** Sends a segment that belongs to no connection. */
  reply(segment: TcpSegment, local: LocalAddress, now: number): void;
  /** There is a request to deliver. */
  notify(): void;
  close(): void;
}

/** A SYN that waits for an answer. The peer repeats it meanwhile, and gives up when it likes. */
export class ConnectionRequest {
  /** Who asks. */
  readonly remoteAddress: string;
  readonly remotePort: number;
  /** Whom it asks for: any address, any port. */
  readonly localAddress: string;
  readonly localPort: number;
  readonly #syn: TcpSegment;
  readonly #local: LocalAddress;
  readonly #host: TransparentListenerHost;
  readonly #forget: () => void;
  #answered = false;

  constructor(syn: TcpSegment, local: LocalAddress, host: TransparentListenerHost, forget: () => void) {
    this.remoteAddress = formatIpAddress(syn.source);
    this.remotePort = syn.sourcePort;
    this.localAddress = formatIpAddress(syn.destination);
    this.localPort = syn.destinationPort;
    this.#syn = syn;
    this.#local = local;
    this.#host = host;
    this.#forget = forget;
  }

  /** SYN/ACK; the connection is plain TCP, and established when the peer has acknowledged. Undefined: the request was answered or withdrawn before. */
  accept(now: number): Connection | undefined {
    return this.#answer() ? this.#host.accept(this.#syn, this.#local, now) : undefined;
  }

  /** RST: the peer's `connect` ends with ECONNREFUSED. */
  refuse(now: number): void {
    if (this.#answer()) this.#host.reply(resetFor(this.#syn), this.#local, now);
  }

  /** No answer, as from a host that is not there; the peer's next SYN is a new request. */
  ignore(): void {
    this.#answer();
  }

  #answer(): boolean {
    if (this.#answered) return false;
    this.#answered = true;
    this.#forget();
    return true;
  }
}

export class TransparentListener {
  /** Told by `Host.deliverNotifications`. */
  onRequest: ((request: ConnectionRequest) => void) | undefined;
  readonly #host: TransparentListenerHost;
  readonly #backlog: number;
  /** By both addresses and ports. */
  readonly #waiting = new Map<string, ConnectionRequest>();
  #undelivered: ConnectionRequest[] = [];

  constructor(host: TransparentListenerHost, backlog: number) {
    this.#host = host;
    this.#backlog = backlog;
  }

  /** Requests that nobody has answered yet. */
  get waiting(): number {
    return this.#waiting.size;
  }

  /** A SYN, only lent; the same again changes nothing. */
  handleSyn(segment: TcpSegment, local: LocalAddress): void {
    const key = keyOf(segment);
    if (this.#waiting.has(key) || this.#waiting.size >= this.#backlog) return;
    const { destination } = segment;
    const own = { ...local, address: keepAddress(destination) };
    const request = new ConnectionRequest(keepSyn(segment), own, this.#host, () => this.#waiting.delete(key));
    this.#waiting.set(key, request);
    this.#undelivered.push(request);
    this.#host.notify();
  }

  /** RST of a connection that does not exist yet: the peer has given up. */
  handleReset(segment: TcpSegment): void {
    if (this.#waiting.size > 0) this.#waiting.get(keyOf(segment))?.ignore();
  }

  deliver(): void {
    const requests = this.#undelivered;
    this.#undelivered = [];
    for (const request of requests) this.onRequest?.(request);
  }

  /** No further requests; those that wait are refused. */
  close(now: number): void {
    this.#host.close();
    for (const request of [...this.#waiting.values()]) request.refuse(now);
    this.#undelivered = [];
  }
}

function keyOf({ source, sourcePort, destination, destinationPort }: TcpSegment): string {
  return `${formatIpAddress(source)} ${sourcePort} ${formatIpAddress(destination)} ${destinationPort}`;
}

/** What a SYN says of plain TCP; data that come with it will come again (RFC 7413 §3.1). */
function keepSyn(segment: TcpSegment): TcpSegment {
  const kept = new TcpSegment();
  kept.source = keepAddress(segment.source);
  kept.destination = keepAddress(segment.destination);
  kept.sourcePort = segment.sourcePort;
  kept.destinationPort = segment.destinationPort;
  kept.sequence = segment.sequence;
  kept.flags = segment.flags;
  kept.window = segment.window;
  kept.ecn = segment.ecn;
  kept.mss = segment.mss;
  kept.windowScale = segment.windowScale;
  kept.sackPermitted = segment.sackPermitted;
  kept.hasTimestamps = segment.hasTimestamps;
  kept.timestampValue = segment.timestampValue;
  return kept;
}

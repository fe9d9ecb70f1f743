/** One connection as the application sees it: one byte stream each way over any number of subflows (RFC 8684), or over one plain TCP connection. */

import { CoupledGroup } from "../congestion/lia.ts";
import type { FallbackReason, SubflowCloseReason } from "../events.ts";
import type { RemotePathAddress } from "../path-manager/path-manager.ts";
import type { SegmentOutput } from "../tcp/tcp-user.ts";
import { formatIpAddress, type IpAddress } from "../wire/ip-address.ts";
import { capableFlag } from "../wire/mptcp-options.ts";
import type { TcpSegment } from "../wire/tcp-segment.ts";
import type { ConnectionEnvironment, LocalAddress } from "./connection-environment.ts";
import type { ConnectionInfo } from "./connection-info.ts";
import {
  type ConnectionErrorCode,
  type ConnectionObserver,
  ConnectionStateError,
  Notifications,
} from "./connection-observer.ts";
import { DataSender } from "./data-sender.ts";
import { Fallback } from "./fallback.ts";
import { type ConnectionKey, deriveKey } from "./keys.ts";
import { Paths } from "./paths.ts";
import { Reassembly } from "./reassembly.ts";
import { SendBuffer } from "./send-buffer.ts";
import { Subflow, type SubflowRole } from "./subflow.ts";

const subflowLimit = 8;
/** Break before make (RFC 8684 §3.4.2): how long a connection outlives its last subflow. */
const orphanMicroseconds = 60_000_000;

export interface ConnectionOptions {
  id: number;
  environment: ConnectionEnvironment;
  initiator: boolean;
  /** False: plain TCP from the start, for `plainReason`. */
  mptcp: boolean;
  plainReason: FallbackReason;
}

export class Connection {
  readonly id: number;
  readonly initiator: boolean;
  readonly environment: ConnectionEnvironment;
  /** The listener's: the connection is established and may be accepted. */
  onAcceptable: (() => void) | undefined;
  /** The listener's: the connection has ended without having been established. */
  onEndedEarly: (() => void) | undefined;

  localKey: ConnectionKey | undefined;
  peerKey: ConnectionKey | undefined;
  checksumEnabled: boolean;
  /** A DSS has come: options pass in both directions, and fallback by their lack is over (RFC 8684 §3.7). */
  confirmed = false;
  use64BitAck = false;
  fastClosing = false;
  joinsToInitialAddress = true;

  readonly coupling: CoupledGroup = new CoupledGroup();
  readonly sendBuffer: SendBuffer;
  readonly reassembly: Reassembly;
  readonly dataSender: DataSender;
  readonly paths: Paths;
  readonly fallback: Fallback;
  readonly subflows: Subflow[] = [];
  readonly windowScale: number;

  #observer: ConnectionObserver | undefined;
  readonly #notifications = new Notifications();
  #nextSubflowId = 0;
  #initialLocal: LocalAddress | undefined;
  #remoteAddress: IpAddress | undefined;
  #remotePort = 0;
  #localPort = 0;
  #established = false;
  #closed = false;
  #closing = false;
  #remoteEnded = false;
  #writeRefused = false;
  #windowOpened = false;
  #orphanAt: number = Number.POSITIVE_INFINITY;

  constructor(options: ConnectionOptions) {
    const { environment } = options;
    this.id = options.id;
    this.initiator = options.initiator;
    this.environment = environment;
    this.checksumEnabled = environment.dssChecksum;
    this.sendBuffer = new SendBuffer(environment.sendBufferBytes);
    this.reassembly = new Reassembly(environment.receiveBufferBytes);
    this.windowScale = Math.min(14, Math.max(0, Math.ceil(Math.log2(environment.receiveBufferBytes / 65_535))));
    this.dataSender = new DataSender(this);
    this.paths = new Paths(this);
    this.fallback = new Fallback(this, options.mptcp ? undefined : options.plainReason);
    if (options.mptcp) this.#chooseKey();
  }

  /** Who is told what happens; also of what has happened already. */
  set observer(observer: ConnectionObserver | undefined) {
    this.#observer = observer;
    this.environment.notify(this);
  }

  // Getters.

  get localAddress(): string {
    return formatIpAddress(this.initialLocalAddress);
  }

  get localPort(): number {
    return this.#localPort;
  }

  get remoteAddress(): string {
    return formatIpAddress(this.#remoteAddress!);
  }

  get remotePort(): number {
    return this.#remotePort;
  }

  /** Without MPTCP, or not any more. */
  get plain(): boolean {
    return this.fallback.reason !== undefined;
  }

  /** Both sides are known to speak MPTCP, and the connection is not ending: subflows may be added (RFC 8684 §3.2). */
  get mayJoin(): boolean {
    return !this.plain && this.confirmed && !this.#closed && !this.#closing;
  }

  get established(): boolean {
    return this.#established;
  }

  get closed(): boolean {
    return this.#closed;
  }

  /** Closed, and no subflow has anything left to do. */
  get finished(): boolean {
    return this.#closed && this.subflows.length === 0;
  }

  get readableBytes(): number {
    return this.reassembly.readableBytes;
  }

  get writableBytes(): number {
    return this.sendBuffer.room;
  }

  get receiveWindow(): number {
    return this.reassembly.window;
  }

  get initialLocalAddress(): IpAddress {
    return this.#initialLocal!.address;
  }

  get hasSeveralUsableSubflows(): boolean {
    let usable = 0;
    for (const subflow of this.subflows) if (subflow.usable) usable++;
    return usable > 1;
  }

  /** Every byte of both streams has arrived. */
  get #exchangedAll(): boolean {
    const { dataSender, reassembly } = this;
    return reassembly.complete && dataSender.unacknowledged >= dataSender.finOffset;
  }

  get liveSubflows(): number {
    let live = 0;
    for (const { endpoint } of this.subflows) if (!endpoint.closed) live++;
    return live;
  }

  get hasRoomForSubflow(): boolean {
    return this.liveSubflows < subflowLimit;
  }

  /** Some other subflow can carry data and is heard from. */
  hasLiveAlternative(subflow: Subflow): boolean {
    return this.subflows.some((other) => other !== subflow && other.usable && !other.stale);
  }

  /** RFC 8684 §3.2: the address of the initial subflow has id 0. */
  wireAddressId(local: LocalAddress): number {
    return local.address === this.#initialLocal?.address ? 0 : local.addressId;
  }

  info(): ConnectionInfo {
    const { dataSender, reassembly } = this;
    return {
      id: this.id,
      mptcp: !this.plain,
      fallbackReason: this.fallback.reason,
      bytesSent: dataSender.next,
      bytesReceived: reassembly.receivedInOrder,
      bytesAcked: Math.min(dataSender.unacknowledged, this.sendBuffer.end),
      reassemblyQueueBytes: reassembly.outOfOrderBytes,
      receiveQueueBytes: reassembly.readableBytes,
      sendWindow: this.plain
        ? this.subflows.reduce((sum, { endpoint }) => sum + endpoint.sender.windowEdge - endpoint.sender.next, 0)
        : dataSender.windowEdge - dataSender.next,
      receiveWindow: reassembly.window,
      subflows: this.subflows.map((subflow) => subflow.info),
    };
  }

  // Application calls.

  /**
   * Takes the whole chunk or its beginning; returns how many bytes. Their memory must not change until the peer has acknowledged them.
   * @throws ConnectionStateError EPIPE after `closeWrite` or the end of the connection
   */
  write(chunk: Uint8Array, _now: number): number {
    if (this.#closed || this.dataSender.finOffset !== Number.POSITIVE_INFINITY) {
      throw new ConnectionStateError("EPIPE", "write after the end of the connection");
    }
    const taken = this.sendBuffer.write(chunk);
    if (taken < chunk.length) this.#writeRefused = true;
    if (taken > 0) this.#wake();
    return taken;
  }

  /** Received bytes in order, at most `limit` of them, or undefined. The memory belongs to the caller. */
  read(now: number, limit: number = Number.POSITIVE_INFINITY): Uint8Array | undefined {
    const chunk = this.reassembly.read(limit);
    if (chunk !== undefined) {
      this.#windowOpened = true;
      this.#wake();
    }
    return chunk;
  }

  /** The application's stream ends; what it has written is still sent. */
  closeWrite(_now: number): void {
    if (this.#closed || this.dataSender.finOffset !== Number.POSITIVE_INFINITY) return;
    this.dataSender.finOffset = this.sendBuffer.end;
    this.#wake();
  }

  /** Ends both directions at once: MP_FASTCLOSE with RST on every subflow (RFC 8684 §3.5), or RST. */
  abort(now: number): void {
    if (this.#closed) return;
    this.fastClosing = !this.plain && this.peerKey !== undefined;
    if (this.fastClosing) this.#recordFastClose("local", now);
    this.#end(undefined, now);
    this.#abortSubflows(now);
    this.#wake();
  }

  // Set-up.

  /** The initiator's first subflow. */
  open(local: LocalAddress, remoteAddress: IpAddress, remotePort: number, now: number): void {
    const subflow = this.#newSubflow("initial-client", local, remoteAddress, remotePort, 0, now);
    subflow.endpoint.connect(now);
    this.#wake();
  }

  /** The listener's first subflow, from a SYN. */
  acceptInitial(segment: TcpSegment, local: LocalAddress, now: number): void {
    if (!this.plain && segment.mptcp.capableFlags & capableFlag.checksumRequired) this.checksumEnabled = true;
    const subflow = this.#newSubflow(
      "initial-server",
      local,
      segment.source,
      segment.sourcePort,
      0,
      now,
      segment.destinationPort,
    );
    subflow.endpoint.acceptSyn(segment, now);
    this.#wake();
  }

  /** A further subflow, by MP_JOIN from us. */
  join(local: LocalAddress, remote: RemotePathAddress, now: number): void {
    const subflow = this.#newSubflow("join-client", local, remote.address, remote.port, remote.addressId, now);
    subflow.endpoint.connect(now);
    this.#wake();
  }

  /** MP_JOIN with our token. False: refused (RFC 8684 §3.2). */
  acceptJoin(segment: TcpSegment, local: LocalAddress, now: number): boolean {
    if (this.plain || this.peerKey === undefined || this.#closed || this.#closing) return false;
    if (!this.hasRoomForSubflow) return false;
    const { mptcp } = segment;
    const subflow = this.#newSubflow(
      "join-server",
      local,
      segment.source,
      segment.sourcePort,
      mptcp.joinAddressId,
      now,
      segment.destinationPort,
    );
    subflow.endpoint.acceptSyn(segment, now);
    this.#wake();
    return true;
  }

  setPeerKey(key: ConnectionKey): void {
    this.peerKey = key;
  }

  #chooseKey(): void {
    const { environment } = this;
    // A token that is in use would bring another connection's joins here (RFC 8684 §3.1): another key then.
    do this.localKey = deriveKey({ high: environment.random(), low: environment.random() });
    while (!environment.registerToken(this.localKey.token, this));
  }

  #newSubflow(
    role: SubflowRole,
    local: LocalAddress,
    remoteAddress: IpAddress,
    remotePort: number,
    remoteAddressId: number,
    now: number,
    localPort?: number,
  ): Subflow {
    const { environment } = this;
    const subflow = new Subflow(this, {
      id: this.#nextSubflowId++,
      role,
      local,
      remoteAddress,
      remotePort,
      remoteAddressId,
      localPort: localPort ?? environment.allocatePort(local.address, remoteAddress, remotePort),
    });
    if (!subflow.isJoin) {
      this.#initialLocal = local;
      this.#remoteAddress = remoteAddress;
      this.#remotePort = remotePort;
      this.#localPort = subflow.endpoint.localPort;
      this.paths.addresses.addInitialRemote(remoteAddress, remotePort);
      if (this.plain) subflow.infiniteMapping = { subflowStart: 1, dataStart: 0 };
    }
    this.subflows.push(subflow);
    environment.attach(subflow);
    environment.record({
      time: now,
      name: "mptcp:subflow-created",
      connection: this.id,
      subflow: subflow.id,
      section: "RFC 8684 §3.2",
      initiator: role.endsWith("client") ? "local" : "remote",
      backup: subflow.backup,
      ...subflow.addresses,
    });
    return subflow;
  }

  /** The host's interface has gone down or come back. */
  onInterfaceChanged(interfaceIndex: number, up: boolean, now: number): void {
    this.paths.onInterfaceChanged(interfaceIndex, up, now);
    this.#wake();
  }

  // What subflows report.

  /** A DSS has come. */
  confirm(now: number): void {
    if (this.confirmed) return;
    this.confirmed = true;
    this.paths.update(now);
  }

  onSubflowEstablished(subflow: Subflow, now: number): void {
    const { endpoint } = subflow;
    this.environment.record({
      time: now,
      name: "mptcp:subflow-established",
      connection: this.id,
      subflow: subflow.id,
      section: subflow.isJoin ? "RFC 8684 §3.2" : "RFC 8684 §3.1",
      backup: subflow.backup,
      handshakeMicroseconds: now - endpoint.handshakeStartedAt,
      ...subflow.addresses,
    });
    this.#orphanAt = Number.POSITIVE_INFINITY;
    if (subflow.isJoin) {
      this.paths.onSubflowEstablished(subflow, now);
      return;
    }
    this.#established = true;
    this.#notifications.established = true;
    this.environment.record({
      time: now,
      name: "connection:established",
      connection: this.id,
      section: "RFC 9293 §3.5",
      mptcp: !this.plain,
    });
    this.environment.notify(this);
    this.onAcceptable?.();
    if (this.#closing) endpoint.close(now);
  }

  onSubflowClosed(subflow: Subflow, reason: SubflowCloseReason, now: number): void {
    if (!this.plain && !this.#closed) {
      const unacknowledgedBytes = this.dataSender.reinjectFrom(subflow, undefined);
      this.dataSender.reinjections.release(subflow.id);
      this.environment.record({
        time: now,
        name: "mptcp:subflow-closed",
        connection: this.id,
        subflow: subflow.id,
        section: "RFC 8684 §3.3.6",
        reason,
        unacknowledgedBytes,
      });
    } else {
      this.environment.record({
        time: now,
        name: "mptcp:subflow-closed",
        connection: this.id,
        subflow: subflow.id,
        section: "RFC 9293 §3.10",
        reason,
        unacknowledgedBytes: this.sendBuffer.end - this.dataSender.unacknowledged,
      });
    }
    this.environment.wake(this);
    if (this.#closed) return;
    if (subflow.role === "initial-client" && !this.#established) {
      this.#end(
        reason === "refused" || reason === "reset-by-peer"
          ? "ECONNREFUSED"
          : reason === "timeout"
            ? "ETIMEDOUT"
            : "ECONNABORTED",
        now,
      );
      return;
    }
    if (this.plain || !this.#established) {
      const clean = reason === "finished" && this.#remoteEnded;
      this.#end(
        clean
          ? undefined
          : reason === "timeout"
            ? "ETIMEDOUT"
            : reason === "interface-down"
              ? "ECONNABORTED"
              : "ECONNRESET",
        now,
      );
      return;
    }
    if (reason === "finished" && this.#exchangedAll) {
      // The peer has ended: only the acknowledgement of our DATA_FIN is missing, and the FIN of its last subflow says as much.
      if (this.liveSubflows === 0) this.#end(undefined, now);
      return;
    }
    this.paths.onSubflowClosed(subflow, reason, now);
    if (this.liveSubflows === 0) {
      if (reason === "reset-by-peer" || reason === "refused") this.#end("ECONNRESET", now);
      else if (this.#orphanAt === Number.POSITIVE_INFINITY) this.#orphanAt = now + orphanMicroseconds;
    }
  }

  onSubflowFin(subflow: Subflow, now: number): void {
    if (this.plain) {
      this.#remoteEndReached();
      return;
    }
    // A subflow's FIN ends the subflow, not the stream (RFC 8684 §3.3.3).
    subflow.endpoint.close(now);
  }

  onSubflowStale(subflow: Subflow, now: number): void {
    const unacknowledgedBytes = this.dataSender.reinjectFrom(subflow, subflow.id);
    this.environment.record({
      time: now,
      name: "scheduler:stale",
      connection: this.id,
      subflow: subflow.id,
      section: "RFC 8684 §3.3.6",
      consecutiveTimeouts: subflow.endpoint.sender.consecutiveTimeouts,
      unacknowledgedBytes,
    });
  }

  onSubflowRecovered(subflow: Subflow, silentMicroseconds: number, now: number): void {
    this.environment.record({
      time: now,
      name: "scheduler:recovered",
      connection: this.id,
      subflow: subflow.id,
      section: "RFC 8684 §3.3.6",
      silentMicroseconds,
    });
  }

  onData(dataOffset: number, bytes: Uint8Array, byteOffset: number, length: number): void {
    if (this.#closed && this.fastClosing) return;
    if (this.reassembly.receive(dataOffset, bytes, byteOffset, length)) this.#afterReceive();
  }

  /** DATA_FIN stands at `dataOffset`. */
  onDataFin(dataOffset: number, subflow: Subflow, now: number): void {
    if (this.reassembly.finOffset === Number.POSITIVE_INFINITY) {
      this.environment.record({
        time: now,
        name: "mptcp:data-fin",
        connection: this.id,
        section: "RFC 8684 §3.3.3",
        initiator: "remote",
        dataOffset,
      });
    }
    if (this.reassembly.receiveFin(dataOffset)) this.#afterReceive();
    subflow.endpoint.requestAck();
  }

  #afterReceive(): void {
    this.#notifications.readable = true;
    this.environment.notify(this);
    if (this.reassembly.complete) this.#remoteEndReached();
  }

  #remoteEndReached(): void {
    if (this.#remoteEnded) return;
    this.#remoteEnded = true;
    this.#notifications.remoteEnd = true;
    this.environment.notify(this);
  }

  onDataAcknowledged(dataOffset: number, _now: number): void {
    this.sendBuffer.acknowledge(dataOffset);
    if (this.#writeRefused && this.sendBuffer.room > 0) {
      this.#writeRefused = false;
      this.#notifications.writable = true;
      this.environment.notify(this);
    }
  }

  /** As plain TCP, the subflow's acknowledgement is the connection's. */
  onPlainAcknowledgement(dataOffset: number): void {
    if (dataOffset <= this.dataSender.unacknowledged) return;
    this.dataSender.unacknowledged = dataOffset;
    this.onDataAcknowledged(dataOffset, 0);
  }

  /** MP_FASTCLOSE with our key: the peer has gone (RFC 8684 §3.5). */
  onFastClose(now: number): void {
    this.#recordFastClose("remote", now);
    this.#end("ECONNRESET", now);
    this.#abortSubflows(now);
  }

  #recordFastClose(initiator: "local" | "remote", now: number): void {
    this.environment.record({
      time: now,
      name: "mptcp:fast-close",
      connection: this.id,
      section: "RFC 8684 §3.5",
      initiator,
    });
  }

  // Output.

  get nextTimeout(): number {
    let next = this.#orphanAt;
    for (const subflow of this.subflows) next = Math.min(next, subflow.endpoint.nextTimeout);
    if (this.#closed) return next;
    return Math.min(next, this.dataSender.nextTimeout, this.paths.nextTimeout);
  }

  handleTimeout(now: number): void {
    for (const { endpoint } of this.subflows) endpoint.handleTimeout(now);
    if (now >= this.#orphanAt) {
      this.#orphanAt = Number.POSITIVE_INFINITY;
      this.#end("ETIMEDOUT", now);
      this.#abortSubflows(now);
    }
    if (this.#closed) return;
    this.dataSender.handleTimeout(now);
    this.paths.handleTimeout(now);
  }

  /** Hands out every segment that may be sent now. */
  transmit(now: number, output: SegmentOutput): void {
    for (const { endpoint } of this.subflows) endpoint.transmit(now, output);
    if (!this.#closed) {
      if (this.#established) this.dataSender.transmit(now, output);
      this.paths.transmitSignals(now, output);
      this.fallback.afterSignals(now);
      this.#finishIfDone(now);
      if (this.#windowOpened) this.#announceWindow();
    }
    for (const { endpoint } of this.subflows) {
      endpoint.transmit(now, output);
      endpoint.transmitAck(now, output);
    }
    this.#removeClosedSubflows();
  }

  /** Tells the observer what has happened. */
  deliverNotifications(): void {
    if (this.#observer !== undefined) this.#notifications.deliver(this.#observer);
  }

  /** Both directions have ended and all is acknowledged: the subflows close (RFC 8684 §3.3.3). */
  #finishIfDone(now: number): void {
    if (this.plain) {
      const [subflow] = this.subflows;
      const state = subflow?.endpoint.state;
      if (this.#remoteEnded && (state === "time-wait" || (state === "closed" && this.dataSender.finSent)))
        this.#end(undefined, now);
      return;
    }
    if (!this.reassembly.complete || !this.dataSender.finAcknowledged) return;
    this.#closing = true;
    for (const { endpoint } of this.subflows) endpoint.close(now);
    this.#end(undefined, now);
  }

  /** A window update, when the one that the peer knows is small and a good deal can be added (RFC 9293 §3.8.6.2.2). */
  #announceWindow(): void {
    this.#windowOpened = false;
    const limit = this.environment.receiveBufferBytes;
    for (const { endpoint, usable } of this.subflows) {
      if (!usable && endpoint.state !== "fin-wait-1" && endpoint.state !== "fin-wait-2") continue;
      const lag = endpoint.windowLag();
      const known = this.receiveWindow - lag;
      if (known < limit / 2 && lag >= Math.min(limit / 2, Math.max(2 * endpoint.segmentSize, limit / 8)))
        endpoint.requestAck();
    }
  }

  #abortSubflows(now: number): void {
    for (const { endpoint } of this.subflows) endpoint.abort("aborted", now);
  }

  #removeClosedSubflows(): void {
    for (let i = this.subflows.length - 1; i >= 0; i--) {
      const subflow = this.subflows[i]!;
      if (!subflow.endpoint.closed) continue;
      this.environment.detach(subflow);
      this.subflows.splice(i, 1);
    }
  }

  #end(error: ConnectionErrorCode | undefined, now: number): void {
    if (this.#closed) return;
    this.#closed = true;
    if (!this.#established) this.onEndedEarly?.();
    this.#orphanAt = Number.POSITIVE_INFINITY;
    if (!this.plain) this.environment.unregisterToken(this.localKey!.token);
    this.dataSender.stop(now);
    this.reassembly.clear();
    this.sendBuffer.clear();
    this.#notifications.closed = true;
    this.#notifications.error = error;
    this.environment.record({
      time: now,
      name: "connection:closed",
      connection: this.id,
      section: "RFC 9293 §3.10",
      error,
    });
    this.environment.notify(this);
  }

  #wake(): void {
    this.environment.wake(this);
  }
}

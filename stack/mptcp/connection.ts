/** One connection as the application sees it: one byte stream each way over any number of subflows (RFC 8684), or over one plain TCP connection. */

import { CoupledGroup } from "../congestion/lia.ts";
import type { FallbackReason, SubflowCloseReason } from "../events.ts";
import type { ManagedConnection, PathManager, RemotePathAddress } from "../path-manager/path-manager.ts";
import type { SegmentOutput } from "../tcp/tcp-user.ts";
import { formatIpAddress, type IpAddress } from "../wire/ip-address.ts";
import { capableFlag, resetReason } from "../wire/mptcp-options.ts";
import { addHigh, addLow } from "../wire/sequence.ts";
import type { TcpSegment } from "../wire/tcp-segment.ts";
import { AddressBook } from "./addresses.ts";
import type { ConnectionEnvironment, LocalAddress } from "./connection-environment.ts";
import type { ConnectionInfo } from "./connection-info.ts";
import { type ConnectionErrorCode, type ConnectionObserver, ConnectionStateError, Notifications } from "./connection-observer.ts";
import { DataSender } from "./data-sender.ts";
import { type ConnectionKey, deriveKey } from "./keys.ts";
import type { Mapping } from "./mapping-table.ts";
import { Reassembly } from "./reassembly.ts";
import { SendBuffer } from "./send-buffer.ts";
import type { Signal } from "./signals.ts";
import { Subflow, type SubflowRole } from "./subflow.ts";

const subflowLimit = 8;
/** Break before make (RFC 8684 §3.4.2): how long a connection outlives its last subflow. */
const orphanMicroseconds = 60_000_000;
const joinAckRetransmission = 300_000;
const joinAckAttempts = 6;

export interface ConnectionOptions {
  id: number;
  environment: ConnectionEnvironment;
  initiator: boolean;
  /** False: plain TCP from the start, for `plainReason`. */
  mptcp: boolean;
  plainReason: FallbackReason;
}

export class Connection implements ManagedConnection {
  readonly id: number;
  readonly initiator: boolean;
  readonly environment: ConnectionEnvironment;
  /** The listener's: the connection is established and may be accepted. */
  onAcceptable: (() => void) | undefined;
  /** The listener's: the connection has ended without having been established. */
  onEndedEarly: (() => void) | undefined;

  /** Without MPTCP, or not any more. */
  plain: boolean;
  fallbackReason: FallbackReason | undefined;
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
  readonly addresses: AddressBook;
  readonly subflows: Subflow[] = [];
  readonly windowScale: number;

  readonly #paths: PathManager;
  #observer: ConnectionObserver | undefined;
  readonly #notifications = new Notifications();
  #signals: Signal[] = [];
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
  /** MP_FAIL has to go out before the fallback that it announces. */
  #failPending = false;
  #orphanAt: number = Number.POSITIVE_INFINITY;

  constructor(options: ConnectionOptions) {
    const { environment } = options;
    this.id = options.id;
    this.initiator = options.initiator;
    this.environment = environment;
    this.plain = !options.mptcp;
    this.checksumEnabled = environment.dssChecksum;
    this.sendBuffer = new SendBuffer(environment.sendBufferBytes);
    this.reassembly = new Reassembly(environment.receiveBufferBytes);
    this.windowScale = Math.min(14, Math.max(0, Math.ceil(Math.log2(environment.receiveBufferBytes / 65_535))));
    this.dataSender = new DataSender(this);
    this.addresses = new AddressBook(this);
    this.#paths = environment.newPathManager();
    if (this.plain) this.fallbackReason = options.plainReason;
    else this.#chooseKey();
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

  get localAddresses(): readonly LocalAddress[] {
    return this.environment.localAddresses;
  }

  get remoteAddresses(): readonly RemotePathAddress[] {
    return this.addresses.remoteAddresses;
  }

  get hasSeveralUsableSubflows(): boolean {
    let usable = 0;
    for (const subflow of this.subflows) if (subflow.usable) usable++;
    return usable > 1;
  }

  /** Some other subflow can carry data and is heard from. */
  hasLiveAlternative(subflow: Subflow): boolean {
    return this.subflows.some((other) => other !== subflow && other.usable && !other.stale);
  }

  hasSubflow(local: IpAddress, remote: RemotePathAddress): boolean {
    return this.subflows.some(
      ({ endpoint }) => !endpoint.closed && endpoint.localAddress === local && endpoint.remoteAddress === remote.address,
    );
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
      fallbackReason: this.fallbackReason,
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
  write(chunk: Uint8Array, now: number): number {
    if (this.#closed || this.dataSender.finOffset !== Number.POSITIVE_INFINITY) {
      throw new ConnectionStateError("EPIPE", "write after the end of the connection");
    }
    const taken = this.sendBuffer.write(chunk);
    if (taken < chunk.length) this.#writeRefused = true;
    if (taken > 0) this.#wake(now);
    return taken;
  }

  /** Received bytes in order, at most `limit` of them, or undefined. The memory belongs to the caller. */
  read(now: number, limit: number = Number.POSITIVE_INFINITY): Uint8Array | undefined {
    const chunk = this.reassembly.read(limit);
    if (chunk !== undefined) {
      this.#windowOpened = true;
      this.#wake(now);
    }
    return chunk;
  }

  /** The application's stream ends; what it has written is still sent. */
  closeWrite(now: number): void {
    if (this.#closed || this.dataSender.finOffset !== Number.POSITIVE_INFINITY) return;
    this.dataSender.finOffset = this.sendBuffer.end;
    if (!this.#established && this.initiator) {
      const initial = this.subflows[0];
      if (initial !== undefined && initial.endpoint.state === "closed") this.#end(undefined, now);
    }
    this.#wake(now);
  }

  /** Ends both directions at once: MP_FASTCLOSE with RST on every subflow (RFC 8684 §3.5), or RST. */
  abort(now: number): void {
    if (this.#closed) return;
    this.fastClosing = !this.plain && this.peerKey !== undefined;
    if (this.fastClosing) this.#recordFastClose("local", now);
    this.#end(undefined, now);
    this.#abortSubflows(now);
    this.#wake(now);
  }

  // Set-up.

  /** The initiator's first subflow. */
  open(local: LocalAddress, remoteAddress: IpAddress, remotePort: number, now: number): void {
    const subflow = this.#newSubflow("initial-client", local, remoteAddress, remotePort, 0, now);
    subflow.endpoint.connect(now);
    this.#wake(now);
  }

  /** The listener's first subflow, from a SYN. */
  acceptInitial(segment: TcpSegment, local: LocalAddress, now: number): void {
    if (!this.plain && segment.mptcp.capableFlags & capableFlag.checksumRequired) this.checksumEnabled = true;
    const subflow = this.#newSubflow("initial-server", local, segment.source, segment.sourcePort, 0, now, segment.destinationPort);
    subflow.endpoint.acceptSyn(segment, now);
    this.#wake(now);
  }

  /** MP_JOIN with our token. False: refused (RFC 8684 §3.2). */
  acceptJoin(segment: TcpSegment, local: LocalAddress, now: number): boolean {
    if (this.plain || this.peerKey === undefined || this.#closed || this.#closing) return false;
    if (this.#liveSubflows() >= subflowLimit) return false;
    const { mptcp } = segment;
    const subflow = this.#newSubflow(
      "join-server", local, segment.source, segment.sourcePort, mptcp.joinAddressId, now, segment.destinationPort,
    );
    subflow.endpoint.acceptSyn(segment, now);
    this.#wake(now);
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
    role: SubflowRole, local: LocalAddress, remoteAddress: IpAddress, remotePort: number, remoteAddressId: number, now: number,
    localPort?: number,
  ): Subflow {
    const { environment } = this;
    const subflow = new Subflow(this, {
      id: this.#nextSubflowId++, role, local, remoteAddress, remotePort, remoteAddressId,
      localPort: localPort ?? environment.allocatePort(local.address, remoteAddress, remotePort),
    });
    if (!subflow.isJoin) {
      this.#initialLocal = local;
      this.#remoteAddress = remoteAddress;
      this.#remotePort = remotePort;
      this.#localPort = subflow.endpoint.localPort;
      this.addresses.addInitialRemote(remoteAddress, remotePort);
      if (this.plain) subflow.infiniteMapping = { subflowStart: 1, dataStart: 0 };
    }
    this.subflows.push(subflow);
    environment.attach(subflow);
    environment.record({
      time: now, name: "mptcp:subflow-created", connection: this.id, subflow: subflow.id, section: "RFC 8684 §3.2",
      initiator: role.endsWith("client") ? "local" : "remote", backup: subflow.backup, ...this.#addressesOf(subflow),
    });
    return subflow;
  }

  #addressesOf(subflow: Subflow): {
    interfaceName: string; localAddress: string; localPort: number; remoteAddress: string; remotePort: number;
  } {
    const { endpoint } = subflow;
    return {
      interfaceName: subflow.local.interfaceName,
      localAddress: formatIpAddress(endpoint.localAddress),
      localPort: endpoint.localPort,
      remoteAddress: formatIpAddress(endpoint.remoteAddress),
      remotePort: endpoint.remotePort,
    };
  }

  // Paths.

  createSubflow(local: LocalAddress, remote: RemotePathAddress, now: number): void {
    if (this.#liveSubflows() >= subflowLimit) return;
    this.#withdrawRemoval(this.wireAddressId(local));
    const subflow = this.#newSubflow("join-client", local, remote.address, remote.port, remote.addressId, now);
    subflow.endpoint.connect(now);
  }

  /** The address is back before the peer was told that it had gone: what is said late would hit the new subflow. */
  #withdrawRemoval(addressId: number): void {
    this.#signals = this.#signals.filter((signal) => signal.kind !== "remove-address" || !signal.addressIds.includes(addressId));
  }

  advertiseAddress(local: LocalAddress, now: number): void {
    this.addresses.advertise(local, now);
  }

  noteRetry(local: IpAddress, remote: IpAddress, delayMicroseconds: number, now: number): void {
    this.environment.record({
      time: now, name: "path-manager:subflow-retry", connection: this.id, section: "RFC 8684 §3.4",
      localAddress: formatIpAddress(local), remoteAddress: formatIpAddress(remote), delayMicroseconds,
    });
  }

  /** Lets the path manager look again. Joins wait until both sides are known to speak MPTCP (RFC 8684 §3.2). */
  updatePaths(now: number): void {
    if (this.plain || !this.confirmed || this.#closed || this.#closing) return;
    this.#paths.update(this, now);
  }

  /** The host's interface of `local` has gone down (`up` false) or come back. */
  onInterfaceChanged(interfaceIndex: number, up: boolean, now: number): void {
    if (!up) {
      for (const subflow of [...this.subflows]) {
        if (subflow.local.interfaceIndex === interfaceIndex) subflow.endpoint.discard("interface-down", now);
      }
      if (!this.plain && this.confirmed && !this.#closed) {
        for (const local of this.localAddresses) {
          if (local.interfaceIndex === interfaceIndex) this.addresses.remove(this.wireAddressId(local), now);
        }
      }
    }
    this.updatePaths(now);
    this.#wake(now);
  }

  sendSignal(signal: Signal): void {
    this.#signals.push(signal);
    this.environment.wake(this);
  }

  /** MP_PRIO from us: the peer shall use the subflow only when it has no other, or again (RFC 8684 §3.3.8). */
  setBackup(subflow: Subflow, backup: boolean, now: number): void {
    subflow.backup = backup;
    this.sendSignal({ kind: "priority", backup, addressId: this.wireAddressId(subflow.local) });
    this.#recordPriority(subflow, backup, "local", now);
    this.#wake(now);
  }

  /** MP_PRIO from the peer; `addressId` -1: the subflow that carried it. */
  onPriority(carrier: Subflow, addressId: number, backup: boolean, now: number): void {
    for (const subflow of this.subflows) {
      if (addressId < 0 ? subflow !== carrier : subflow.remoteAddressId !== addressId) continue;
      subflow.backup = backup;
      this.#recordPriority(subflow, backup, "remote", now);
    }
  }

  #recordPriority(subflow: Subflow, backup: boolean, initiator: "local" | "remote", now: number): void {
    this.environment.record({
      time: now, name: "mptcp:priority", connection: this.id, subflow: subflow.id, section: "RFC 8684 §3.3.8", backup, initiator,
    });
  }

  // What subflows report.

  /** A DSS has come. */
  confirm(now: number): void {
    if (this.confirmed) return;
    this.confirmed = true;
    this.updatePaths(now);
  }

  onSubflowEstablished(subflow: Subflow, now: number): void {
    const { endpoint } = subflow;
    this.environment.record({
      time: now, name: "mptcp:subflow-established", connection: this.id, subflow: subflow.id,
      section: subflow.isJoin ? "RFC 8684 §3.2" : "RFC 8684 §3.1", backup: subflow.backup,
      handshakeMicroseconds: now - endpoint.handshakeStartedAt, ...this.#addressesOf(subflow),
    });
    this.#orphanAt = Number.POSITIVE_INFINITY;
    if (subflow.isJoin) {
      this.#paths.onSubflowEstablished(endpoint.localAddress, endpoint.remoteAddress);
      endpoint.requestAck();
      if (subflow.role === "join-client") this.#armJoinAck(subflow, now);
      return;
    }
    this.#established = true;
    this.#notifications.established = true;
    this.environment.record({
      time: now, name: "connection:established", connection: this.id, section: "RFC 9293 §3.5", mptcp: !this.plain,
    });
    this.environment.notify(this);
    this.onAcceptable?.();
    if (this.#closing) endpoint.close(now);
  }

  onJoinConfirmed(subflow: Subflow, _now: number): void {
    subflow.joinConfirmed = true;
    subflow.joinRetransmitAt = Number.POSITIVE_INFINITY;
  }

  onSubflowClosed(subflow: Subflow, reason: SubflowCloseReason, now: number): void {
    const { endpoint } = subflow;
    if (!this.plain && !this.#closed) {
      const unacknowledgedBytes = this.dataSender.reinjectFrom(subflow, undefined);
      this.dataSender.reinjections.release(subflow.id);
      this.environment.record({
        time: now, name: "mptcp:subflow-closed", connection: this.id, subflow: subflow.id, section: "RFC 8684 §3.3.6",
        reason, unacknowledgedBytes,
      });
    } else {
      this.environment.record({
        time: now, name: "mptcp:subflow-closed", connection: this.id, subflow: subflow.id, section: "RFC 9293 §3.10",
        reason, unacknowledgedBytes: this.sendBuffer.end - this.dataSender.unacknowledged,
      });
    }
    this.environment.wake(this);
    if (this.#closed) return;
    if (subflow.role === "initial-client" && !this.#established) {
      this.#end(reason === "refused" || reason === "reset-by-peer" ? "ECONNREFUSED" : reason === "timeout" ? "ETIMEDOUT" : "ECONNABORTED", now);
      return;
    }
    if (this.plain || !this.#established) {
      const clean = reason === "finished" && this.#remoteEnded;
      this.#end(clean ? undefined : reason === "timeout" ? "ETIMEDOUT" : reason === "interface-down" ? "ECONNABORTED" : "ECONNRESET", now);
      return;
    }
    if (subflow.isJoin || subflow.established) {
      this.#paths.onSubflowClosed(this, endpoint.localAddress, endpoint.remoteAddress, reason, now);
    }
    if (this.#liveSubflows() === 0) {
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
      time: now, name: "scheduler:stale", connection: this.id, subflow: subflow.id, section: "RFC 8684 §3.3.6",
      consecutiveTimeouts: subflow.endpoint.sender.consecutiveTimeouts, unacknowledgedBytes,
    });
  }

  onSubflowRecovered(subflow: Subflow, silentMicroseconds: number, now: number): void {
    this.environment.record({
      time: now, name: "scheduler:recovered", connection: this.id, subflow: subflow.id, section: "RFC 8684 §3.3.6", silentMicroseconds,
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
        time: now, name: "mptcp:data-fin", connection: this.id, section: "RFC 8684 §3.3.3", initiator: "remote", dataOffset,
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

  // Fallback (RFC 8684 §3.7).

  /** From now on the only subflow's stream is the data. */
  fallBack(reason: FallbackReason, subflow: Subflow, now: number): void {
    if (this.plain) return;
    this.plain = true;
    this.fallbackReason = reason;
    this.dataSender.stop();
    subflow.infiniteMapping ??= {
      subflowStart: subflow.delivered,
      dataStart: subflow.delivered === 1 ? 0 : this.reassembly.next,
    };
    this.environment.unregisterToken(this.localKey!.token);
    this.environment.record({ time: now, name: "mptcp:fallback", connection: this.id, section: "RFC 8684 §3.7", reason });
  }

  onInfiniteMapping(subflow: Subflow, subflowStart: number, dataStart: number, now: number): void {
    if (this.#liveSubflows() > 1) {
      this.#resetSubflow(subflow, resetReason.mptcpSpecific, now);
      return;
    }
    subflow.infiniteMapping = { subflowStart: Math.max(subflowStart, subflow.delivered), dataStart };
    this.fallBack("infinite-mapping-received", subflow, now);
  }

  /** MP_FAIL: the peer saw a wrong checksum. */
  onFail(subflow: Subflow, now: number): void {
    if (this.#liveSubflows() > 1) this.#resetSubflow(subflow, resetReason.middleboxInterference, now);
    else this.fallBack("checksum-failed", subflow, now);
  }

  onContradictoryMapping(subflow: Subflow, now: number): void {
    this.#resetSubflow(subflow, resetReason.mptcpSpecific, now);
  }

  /** In-order payload at `offset` that no mapping covers. True: it is data all the same. */
  onUnmappedData(subflow: Subflow, offset: number, now: number): boolean {
    if (this.#liveSubflows() > 1 || this.reassembly.outOfOrderBytes > 0) {
      this.#resetSubflow(subflow, resetReason.middleboxInterference, now);
      return false;
    }
    subflow.infiniteMapping = { subflowStart: offset, dataStart: this.reassembly.next };
    this.fallBack("mapping-missing", subflow, now);
    return true;
  }

  /** The whole mapping has come, with a wrong checksum. True: its bytes are data all the same. */
  onChecksumFailure(subflow: Subflow, mapping: Mapping, now: number): boolean {
    const { dataStart, subflowStart, length } = mapping;
    const base = this.peerKey!.firstDataSequence;
    if (this.#liveSubflows() > 1) {
      this.#resetSubflow(subflow, resetReason.middleboxInterference, now);
      return false;
    }
    this.sendSignal({ kind: "fail", high: addHigh(base, dataStart), low: addLow(base, dataStart) });
    this.#failPending = true;
    subflow.infiniteMapping = { subflowStart: subflowStart + length, dataStart: dataStart + length };
    return true;
  }

  /** MP_FASTCLOSE with our key: the peer has gone (RFC 8684 §3.5). */
  onFastClose(now: number): void {
    this.#recordFastClose("remote", now);
    this.#end("ECONNRESET", now);
    this.#abortSubflows(now);
  }

  #recordFastClose(initiator: "local" | "remote", now: number): void {
    this.environment.record({ time: now, name: "mptcp:fast-close", connection: this.id, section: "RFC 8684 §3.5", initiator });
  }

  #resetSubflow(subflow: Subflow, reason: number, now: number): void {
    subflow.resetReason = reason;
    subflow.endpoint.abort("protocol-error", now);
  }

  // Output.

  get nextTimeout(): number {
    let next = this.#orphanAt;
    for (const subflow of this.subflows) next = Math.min(next, subflow.endpoint.nextTimeout, subflow.joinRetransmitAt);
    if (this.#closed) return next;
    return Math.min(next, this.dataSender.nextTimeout, this.#paths.nextTimeout, this.addresses.nextTimeout);
  }

  handleTimeout(now: number): void {
    for (const subflow of [...this.subflows]) {
      subflow.endpoint.handleTimeout(now);
      if (subflow.joinRetransmitAt <= now) this.#armJoinAck(subflow, now);
    }
    if (now >= this.#orphanAt) {
      this.#orphanAt = Number.POSITIVE_INFINITY;
      this.#end("ETIMEDOUT", now);
      this.#abortSubflows(now);
    }
    if (this.#closed) return;
    this.dataSender.handleTimeout(now);
    if (now >= this.addresses.nextTimeout) this.addresses.handleTimeout(now);
    if (now >= this.#paths.nextTimeout) this.updatePaths(now);
  }

  /** Hands out every segment that may be sent now. */
  transmit(now: number, output: SegmentOutput): void {
    for (const { endpoint } of this.subflows) endpoint.transmit(now, output);
    if (!this.#closed) {
      if (this.#established) this.dataSender.transmit(now, output);
      this.#transmitSignals(now, output);
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

  #transmitSignals(now: number, output: SegmentOutput): void {
    while (this.#signals.length > 0) {
      const subflow = this.subflows.find((candidate) => candidate.usable && !candidate.stale) ?? this.subflows.find((candidate) => candidate.usable);
      if (subflow === undefined) return;
      subflow.signal = this.#signals.shift();
      subflow.endpoint.requestAck();
      subflow.endpoint.transmitAck(now, output);
    }
    if (this.#failPending) {
      this.#failPending = false;
      const [subflow] = this.subflows;
      if (subflow !== undefined) this.fallBack("checksum-failed", subflow, now);
    }
  }

  /** Both directions have ended and all is acknowledged: the subflows close (RFC 8684 §3.3.3). */
  #finishIfDone(now: number): void {
    if (this.plain) {
      const [subflow] = this.subflows;
      const state = subflow?.endpoint.state;
      if (this.#remoteEnded && (state === "time-wait" || (state === "closed" && this.dataSender.finSent))) this.#end(undefined, now);
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
      if (known < limit / 2 && lag >= Math.min(limit / 2, Math.max(2 * endpoint.segmentSize, limit / 8))) endpoint.requestAck();
    }
  }

  #armJoinAck(subflow: Subflow, now: number): void {
    if (subflow.joinConfirmed || subflow.endpoint.closed) {
      subflow.joinRetransmitAt = Number.POSITIVE_INFINITY;
      return;
    }
    if (subflow.joinAttempts++ >= joinAckAttempts) {
      subflow.joinRetransmitAt = Number.POSITIVE_INFINITY;
      subflow.endpoint.abort("timeout", now);
      return;
    }
    subflow.endpoint.requestAck();
    subflow.joinRetransmitAt = now + joinAckRetransmission * 2 ** (subflow.joinAttempts - 1);
  }

  #abortSubflows(now: number): void {
    for (const { endpoint } of [...this.subflows]) endpoint.abort("aborted", now);
  }

  #removeClosedSubflows(): void {
    for (let i = this.subflows.length - 1; i >= 0; i--) {
      const subflow = this.subflows[i]!;
      if (!subflow.endpoint.closed) continue;
      this.environment.detach(subflow);
      this.subflows.splice(i, 1);
    }
  }

  #liveSubflows(): number {
    let live = 0;
    for (const { endpoint } of this.subflows) if (!endpoint.closed) live++;
    return live;
  }

  #end(error: ConnectionErrorCode | undefined, now: number): void {
    if (this.#closed) return;
    this.#closed = true;
    if (!this.#established) this.onEndedEarly?.();
    this.#orphanAt = Number.POSITIVE_INFINITY;
    if (!this.plain) this.environment.unregisterToken(this.localKey!.token);
    this.dataSender.stop();
    this.reassembly.clear();
    this.sendBuffer.clear();
    this.#notifications.closed = true;
    this.#notifications.error = error;
    this.environment.record({ time: now, name: "connection:closed", connection: this.id, section: "RFC 9293 §3.10", error });
    this.environment.notify(this);
  }

  #wake(_now: number): void {
    this.environment.wake(this);
  }
}

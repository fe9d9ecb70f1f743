/** One connection as the application sees it: one byte stream each way over any number of subflows (RFC 8684), or over one plain TCP connection. */

import { CoupledGroup } from "../congestion/coupled.ts";
import type { DeadlineEntry, Scheduled } from "../deadline-queue.ts";
import type { FallbackReason } from "../events.ts";
import type { RemotePathAddress } from "../path-manager/path-manager.ts";
import { windowScaleFor } from "../tcp/handshake.ts";
import type { AcceptOptions } from "../tcp/opening.ts";
import { PacketMarking } from "../tcp/packet-marking.ts";
import type { KeepAliveOptions, TcpOptions } from "../tcp/tcp-options.ts";
import type { SegmentOutput } from "../tcp/tcp-user.ts";
import { formatIpAddress, type IpAddress } from "../wire/ip-address.ts";
import { capableFlag } from "../wire/mptcp-options.ts";
import type { TcpSegment } from "../wire/tcp-segment.ts";
import type { Algorithms } from "./algorithms.ts";
import type { ConnectionEnvironment, LocalAddress } from "./connection-environment.ts";
import { type ConnectionInfo, connectionInfo } from "./connection-info.ts";
import { type ConnectionObserver, ConnectionStateError, Notifications } from "./connection-observer.ts";
import { DataReceiver } from "./data-receiver.ts";
import { DataSender } from "./data-sender.ts";
import { Fallback } from "./fallback.ts";
import { type ConnectionKey, freshKey } from "./keys.ts";
import { Lifetime } from "./lifetime.ts";
import { Paths } from "./paths.ts";
import type { Reassembly } from "./reassembly.ts";
import { SendBuffer } from "./send-buffer.ts";
import { SequenceWidth } from "./sequence-width.ts";
import type { Subflow } from "./subflow.ts";
import { type OpenOptions, SubflowSet } from "./subflow-set.ts";

export interface ConnectionOptions {
  id: number;
  environment: ConnectionEnvironment;
  initiator: boolean;
  /** False: plain TCP from the start, for `plainReason`. */
  mptcp: boolean;
  plainReason: FallbackReason;
  algorithms: Algorithms;
  /** Of a handshake of which nothing was remembered; its token is free. Default: one by chance. */
  key?: ConnectionKey;
}

export class Connection implements Scheduled {
  readonly id: number;
  readonly initiator: boolean;
  readonly environment: ConnectionEnvironment;
  readonly algorithms: Algorithms;
  /** The listener's: the connection is established and may be accepted. */
  onAcceptable: (() => void) | undefined;
  /** The listener's: the connection has ended without having been established. */
  onEndedEarly: (() => void) | undefined;

  localKey: ConnectionKey | undefined;
  peerKey: ConnectionKey | undefined;
  checksumEnabled: boolean;
  /** A DSS, or MP_CAPABLE with data, has come: options pass in both directions, and fallback by their lack is over (RFC 8684 §3.1, §3.7). */
  confirmed = false;
  use64BitAck = false;
  /** The peer has taken data that went with a SYN. */
  hasSentSynData = false;
  /** When the peer last said how far it may be sent to: with a DATA_ACK, as plain TCP with any acceptable segment. */
  heardAt = 0;
  /** Small segments do not wait for each other (TCP_NODELAY; RFC 9293 §3.7.4, MUST-17). */
  noDelay = false;
  /** Of the packets of all subflows. */
  readonly marking: PacketMarking = new PacketMarking();
  /** Of its subflows to come. */
  tcp: TcpOptions;
  /** Cleared by flag C of the peer's MP_CAPABLE (RFC 8684 §3.1). */
  joinsToInitialAddress = true;

  readonly coupling: CoupledGroup = new CoupledGroup();
  readonly sendBuffer: SendBuffer;
  readonly reassembly: Reassembly;
  readonly dataSender: DataSender;
  readonly dataReceiver: DataReceiver;
  readonly sequenceWidth: SequenceWidth = new SequenceWidth();
  readonly paths: Paths;
  readonly fallback: Fallback;
  readonly subflowSet: SubflowSet;
  readonly lifetime: Lifetime;
  readonly notifications: Notifications = new Notifications();
  readonly windowScale: number;

  deadlineEntry: DeadlineEntry | undefined;

  #observer: ConnectionObserver | undefined;
  #writeRefused = false;
  #tellsWhenSettled = false;

  constructor(options: ConnectionOptions) {
    const { environment } = options;
    this.id = options.id;
    this.initiator = options.initiator;
    this.environment = environment;
    this.algorithms = options.algorithms;
    this.tcp = environment.tcp;
    this.checksumEnabled = environment.dssChecksum;
    this.sendBuffer = new SendBuffer(environment.sendBufferBytes, environment.gather);
    this.dataReceiver = new DataReceiver(this);
    this.reassembly = this.dataReceiver.reassembly;
    this.windowScale = windowScaleFor(environment.receiveBufferBytes);
    this.dataSender = new DataSender(this);
    this.subflowSet = new SubflowSet(this);
    this.lifetime = new Lifetime(this);
    this.paths = new Paths(this);
    this.fallback = new Fallback(this, options.mptcp ? undefined : options.plainReason);
    if (options.mptcp) this.localKey = this.#registeredKey(options.key);
  }

  /** Who is told what happens; also of what has happened already. */
  set observer(observer: ConnectionObserver | undefined) {
    this.#observer = observer;
    this.environment.notify(this);
  }

  // Getters.

  get subflows(): readonly Subflow[] {
    return this.subflowSet.list;
  }

  get localAddress(): string {
    return formatIpAddress(this.subflowSet.initial.endpoint.localAddress);
  }

  get localPort(): number {
    return this.subflowSet.initial.endpoint.localPort;
  }

  get remoteAddress(): string {
    return formatIpAddress(this.subflowSet.initial.endpoint.remoteAddress);
  }

  get remotePort(): number {
    return this.subflowSet.initial.endpoint.remotePort;
  }

  /** Without MPTCP, or not any more. */
  get plain(): boolean {
    return this.fallback.reason !== undefined;
  }

  /** Octets of options that a segment with data carries, beside those of TCP. */
  get dataOptionsLength(): number {
    if (this.plain && !this.fallback.isAnnouncing) return 0;
    if (!this.confirmed) return 24; // MP_CAPABLE with data.
    return 20 + (this.use64BitAck ? 4 : 0) + (this.sequenceWidth.isLong ? 4 : 0);
  }

  /** The connection speaks MPTCP and is not ending. */
  get takesJoins(): boolean {
    return !this.plain && !this.lifetime.closed && !this.lifetime.closing;
  }

  /** Both sides are known to speak MPTCP: subflows may be added (RFC 8684 §3.2). */
  get mayJoin(): boolean {
    return this.takesJoins && this.confirmed && !this.subflowSet.awaitsMapping;
  }

  get established(): boolean {
    return this.lifetime.established;
  }

  get closed(): boolean {
    return this.lifetime.closed;
  }

  /** Closed, and no subflow has anything left to do. */
  get finished(): boolean {
    return this.lifetime.closed && this.subflows.length === 0;
  }

  get readableBytes(): number {
    return this.reassembly.readableBytes;
  }

  get writableBytes(): number {
    return Math.min(this.sendBuffer.room, this.#unsentRoom);
  }

  get receiveWindow(): number {
    return this.reassembly.window;
  }

  info(): ConnectionInfo {
    return connectionInfo(this);
  }

  // Application calls.

  /**
   * Takes the whole chunk or its beginning; returns how many bytes. Their memory must not change until the peer has acknowledged them.
   * @throws ConnectionStateError EPIPE after `closeWrite` or the end of the connection
   */
  write(chunk: Uint8Array, _now: number): number {
    if (this.closed || this.dataSender.finOffset !== Number.POSITIVE_INFINITY) {
      throw new ConnectionStateError("EPIPE", "write after the end of the connection");
    }
    const taken = this.sendBuffer.write(chunk, this.#unsentRoom);
    if (taken < chunk.length) this.#writeRefused = true;
    if (taken > 0) this.#wake();
    return taken;
  }

  /** Received bytes in order, at most `limit` of them, or undefined. The memory belongs to the caller. */
  read(now: number, limit: number = Number.POSITIVE_INFINITY): Uint8Array | undefined {
    const chunk = this.reassembly.read(limit);
    if (chunk !== undefined) this.#afterRead(now);
    return chunk;
  }

  /** What comes next may be put into `target` before it is asked for by `readInto`: see {@link Reassembly.offer}. */
  offer(target: Uint8Array | undefined): void {
    this.reassembly.offer(target);
  }

  /** Received bytes in order into `target`, as many as fit; returns how many. Unlike `read` it costs no memory. */
  readInto(target: Uint8Array, now: number): number {
    const length = this.reassembly.readInto(target);
    if (length > 0) this.#afterRead(now);
    return length;
  }

  /** The application's stream ends; what it has written is still sent. */
  closeWrite(_now: number): void {
    if (this.closed || this.dataSender.finOffset !== Number.POSITIVE_INFINITY) return;
    this.dataSender.finOffset = this.sendBuffer.end;
    this.#wake();
  }

  /** The observer is told `onSettled` once: when the peer has all. A connection that ends before tells `onClosed` alone. */
  tellWhenSettled(): void {
    this.#tellsWhenSettled = true;
    this.#wake();
  }

  /** Of each of its subflows; undefined: none (RFC 9293 §3.8.4). */
  setKeepAlive(keepAlive: KeepAliveOptions | undefined, now: number): void {
    const { keepAlive: _before, ...others } = this.tcp;
    this.tcp = keepAlive === undefined ? others : { ...others, keepAlive };
    for (const { endpoint } of this.subflows) endpoint.setKeepAlive(keepAlive, now);
    this.#wake();
  }

  /** How long each of its subflows lets data wait for an acknowledgement before it is given up (RFC 5482). */
  setUserTimeout(userTimeoutMicroseconds: number): void {
    this.tcp = { ...this.tcp, userTimeoutMicroseconds };
    for (const { endpoint } of this.subflows) endpoint.setUserTimeout(userTimeoutMicroseconds);
    this.#wake();
  }

  /** Ends both directions at once. */
  abort(now: number): void {
    this.lifetime.abort(now);
    this.#wake();
  }

  // Set-up.

  /** The initiator's first subflow. */
  open(
    local: LocalAddress,
    remoteAddress: IpAddress,
    remotePort: number,
    now: number,
    options: OpenOptions = {},
  ): void {
    this.paths.addresses.addInitialRemote(remoteAddress, remotePort);
    this.subflowSet.open(local, remoteAddress, remotePort, now, options);
    this.#wake();
  }

  /** The listener's first subflow, from a SYN. */
  acceptInitial(segment: TcpSegment, local: LocalAddress, now: number, options: AcceptOptions = {}): void {
    const { capableFlags } = segment.mptcp;
    // RFC 8684 §3.1: who does not understand what flag B announces ignores the option.
    if (!this.plain && capableFlags & capableFlag.extensibility) this.fallback.refuse("version-not-supported", now);
    if (!this.plain && capableFlags & capableFlag.checksumRequired) this.checksumEnabled = true;
    this.joinsToInitialAddress = (capableFlags & capableFlag.noJoinToInitialAddress) === 0;
    this.paths.addresses.addInitialRemote(segment.source, segment.sourcePort);
    this.subflowSet.acceptInitial(segment, local, now, options);
    this.#wake();
  }

  /** A further subflow, by MP_JOIN from us. */
  join(local: LocalAddress, remote: RemotePathAddress, backup: boolean, now: number): void {
    this.subflowSet.join(local, remote, backup, now);
    this.#wake();
  }

  /** MP_JOIN with our token. Returns the reason of the reset that answers it (RFC 8684 §3.6), -1 when it is welcome. */
  acceptJoin(segment: TcpSegment, local: LocalAddress, now: number): number {
    const refusal = this.subflowSet.acceptJoin(segment, local, now);
    if (refusal >= 0) this.paths.onJoinRefused(segment.source, refusal, now);
    this.#wake();
    return refusal;
  }

  /** The host has lost these addresses; they may come back. */
  onAddressesGone(gone: readonly LocalAddress[], reason: "interface-down" | "address-removed", now: number): void {
    this.paths.onAddressesGone(gone, reason, now);
    this.#wake();
  }

  onAddressesCome(now: number): void {
    this.paths.update(now);
    this.#wake();
  }

  #registeredKey(given: ConnectionKey | undefined): ConnectionKey {
    const { environment } = this;
    const isFree = ({ token }: ConnectionKey): boolean => environment.registerToken(token, this);
    if (given === undefined) return freshKey(() => environment.random(), isFree);
    isFree(given);
    return given;
  }

  // What subflows report.

  /** A DSS, or MP_CAPABLE with data, has come. */
  confirm(now: number): void {
    if (this.confirmed) return;
    this.confirmed = true;
    this.paths.addresses.begin(now);
    this.paths.update(now);
    // Until now both keys have stood where DATA_FIN was to stand.
    for (const subflow of this.subflows) if (subflow.announceDataFin) subflow.endpoint.requestAck();
  }

  #afterRead(now: number): void {
    this.dataReceiver.onRead(now);
    this.#wake();
  }

  onDataAcknowledged(dataOffset: number): void {
    this.sendBuffer.acknowledge(dataOffset);
    this.#tellOfRoom();
  }

  get #unsentBytes(): number {
    return this.sendBuffer.end - this.dataSender.next;
  }

  get #unsentRoom(): number {
    return Math.max(0, this.environment.notSentLowatBytes - this.#unsentBytes);
  }

  #tellOfRoom(): void {
    if (!this.#writeRefused || this.sendBuffer.room === 0) return;
    // As Linux: not for each segment that goes.
    if (this.#unsentBytes * 2 > this.environment.notSentLowatBytes) return;
    this.#writeRefused = false;
    this.notifications.writable = true;
    this.environment.notify(this);
  }

  // Output.

  /** Of fields alone: a time that a function hands on is boxed where V8 does not inline it, 16 bytes of heap for each segment. */
  get nextTimeout(): number {
    const { closed, dataSender, paths } = this;
    let next = Math.min(this.lifetime.nextTimeout, this.subflowSet.nextTimeout(!closed));
    if (closed) return next;
    next = Math.min(next, dataSender.timer.nextTimeout, dataSender.episodes.nextTimeout);
    // Without MPTCP, or at the end of it, nobody asks the path manager, and no address waits for its echo.
    return this.mayJoin ? Math.min(next, paths.updateAt, paths.addresses.nextTimeout) : next;
  }

  handleTimeout(now: number): void {
    for (const { endpoint, thirdAck, silenceCheck } of this.subflows) {
      endpoint.handleTimeout(now);
      thirdAck.handleTimeout(now);
      silenceCheck.handleTimeout(now);
    }
    this.lifetime.handleTimeout(now);
    if (this.closed) return;
    this.dataSender.handleTimeout(now);
    this.fallback.handleTimeout(now);
    this.paths.handleTimeout(now);
  }

  /** Hands out every segment that may be sent now. */
  transmit(now: number, output: SegmentOutput): void {
    const { subflows } = this;
    const { agenda } = this.subflowSet;
    for (let place = 0; place < subflows.length; place++)
      if (agenda.isStirred(place)) subflows[place]!.endpoint.transmit(now, output);
    if (!this.closed) {
      if (this.established) {
        this.dataSender.transmit(now, output);
        this.#tellOfRoom();
      }
      this.paths.transmitSignals(now, output);
      this.fallback.afterSignals(now);
      this.lifetime.finishIfDone(now);
      this.dataReceiver.announce(now);
    }
    for (let place = 0; place < subflows.length; place++) {
      const isStirred = agenda.isStirred(place);
      if (!isStirred && !this.hasSentSynData) continue;
      const subflow = subflows[place]!;
      const { endpoint } = subflow;
      if (isStirred) {
        endpoint.transmit(now, output);
        endpoint.transmitAck(now, output);
      }
      if (this.plain || this.confirmed || !subflow.announceDataFin || !subflow.thirdAckSent) continue;
      // The third segment has gone without DATA_FIN: there is no room beside both keys.
      endpoint.requestAck();
      endpoint.transmitAck(now, output);
    }
    this.subflowSet.removeClosed();
    if (this.#tellsWhenSettled && this.dataSender.isSettled) this.#settled();
  }

  #settled(): void {
    this.#tellsWhenSettled = false;
    this.notifications.settled = true;
    this.environment.notify(this);
  }

  /** Tells the observer what has happened; returns whether the connection's state changed. */
  deliverNotifications(): boolean {
    if (this.#observer === undefined) return false;
    const { closed } = this.notifications;
    const stateChanged = this.notifications.deliver(this.#observer);
    // It has been told all: TIME-WAIT would keep the application's socket for a minute.
    if (closed) this.#observer = undefined;
    return stateChanged;
  }

  #wake(): void {
    this.environment.wake(this);
  }
}

/** One subflow of a connection: a TCP endpoint, the options that it speaks and what they mean to the connection. */

import { type CongestionControl, initialWindow } from "../congestion/congestion-control.ts";
import { WindowCap } from "../congestion/window-cap.ts";
import type { SubflowCloseReason } from "../events.ts";
import type { ManagedSubflow } from "../path-manager/path-manager.ts";
import type { Schedulable } from "../scheduler/scheduler.ts";
import { AgendaEntry } from "../tcp/agenda.ts";
import type { PacketMarking } from "../tcp/packet-marking.ts";
import type { SentRange } from "../tcp/sent-queue.ts";
import { TcpEndpoint } from "../tcp/tcp-endpoint.ts";
import type { DecisionRecorder } from "../tcp/tcp-journal.ts";
import type { SegmentOutput, TcpUser } from "../tcp/tcp-user.ts";
import { type IpAddress, formatIpAddress } from "../wire/ip-address.ts";
import { resetReason } from "../wire/mptcp-options.ts";
import type { Uint64 } from "../wire/sequence.ts";
import type { TcpSegment } from "../wire/tcp-segment.ts";
import type { Connection } from "./connection.ts";
import { type SubflowInfo, subflowInfo } from "./connection-info.ts";
import type { LocalAddress } from "./connection-environment.ts";
import { mappingChecksum } from "./dss-checksum.ts";
import { HeldPayload } from "./held-payload.ts";
import { MappingTable } from "./mapping-table.ts";
import type { Signal } from "./signals.ts";
import { deliverMapped } from "./subflow-delivery.ts";
import { SubflowJournal } from "./subflow-journal.ts";
import { readOptions, readRepeatedSyn, readSynOptions } from "./subflow-input.ts";
import { SilenceCheck } from "./silence-check.ts";
import { Staleness } from "./staleness.ts";
import { writeOptions } from "./subflow-output.ts";
import { prepareSynData, settleSynData, takeSynData } from "./syn-data.ts";
import { ThirdAck } from "./third-ack.ts";

/** How the subflow came to be: it decides the handshake options (RFC 8684 §3.1, §3.2). */
export type SubflowRole = "initial-client" | "initial-server" | "join-client" | "join-server";

export interface SubflowOptions {
  id: number;
  place: number;
  role: SubflowRole;
  local: LocalAddress;
  localPort: number;
  remoteAddress: IpAddress;
  remotePort: number;
  remoteAddressId: number;
  /** The peer shall use it only when it has no other. */
  backup: boolean;
}

export class Subflow implements TcpUser, Schedulable, ManagedSubflow {
  readonly id: number;
  readonly role: SubflowRole;
  readonly connection: Connection;
  readonly local: LocalAddress;
  readonly endpoint: TcpEndpoint;
  readonly agenda: AgendaEntry;
  readonly congestion: CongestionControl;
  remoteAddressId: number;

  /** The peer's wish (flag B, MP_PRIO) or our own. */
  backup: boolean;
  /** Flag B of our MP_JOIN. */
  readonly asksForBackup: boolean;
  readonly #staleness = new Staleness(this);
  /** What the scheduler may give it now, and what only in a moment; set before each decision. */
  space = 0;
  pacedBytes = 0;
  /** Data offset up to which it has carried the whole stream, where every subflow does. */
  copiedUntil = 0;

  localNonce: number;
  remoteNonce = 0;
  /** The peer's latest SYN had no MP_CAPABLE, although its first had: our SYN/ACK has none either. */
  peerLeftOptionOut = false;
  /** The third ACK of MP_JOIN has been answered: the subflow may be used (RFC 8684 §3.2). */
  joinConfirmed: boolean;
  readonly thirdAck: ThirdAck = new ThirdAck(this);
  readonly silenceCheck: SilenceCheck = new SilenceCheck(this);
  established = false;

  readonly mappings: MappingTable = new MappingTable();
  /** Offset up to which in-order payload has been taken by the connection. */
  delivered = 1;
  /** Bytes that went with our SYN and the peer's: subflow sequence numbers of mappings are counted from behind them (RFC 8684, appendix B.2). */
  synDataSent = 0;
  synDataReceived = 0;
  /** The third segment has told both keys: what ends the stream may follow it, when all data went with the SYN. */
  thirdAckSent = false;
  /** Bytes of a checksummed mapping that wait for its end (RFC 8684 §3.3.1). */
  unverified: Uint8Array[] = [];
  readonly held: HeldPayload;
  /** A DSS has come over it. */
  optionsPass = false;
  /** Segments that should carry options come without any. */
  optionsMissing = false;
  /** When the latest segment that carried one came, and its TSecr; -1: none. */
  optionsHeardAt = -1;
  optionsEcho = -1;
  /** From here on the stream is the data, without options (RFC 8684 §3.7). */
  infiniteMapping: { subflowStart: number; dataStart: number } | undefined;

  /** Goes out with the next pure acknowledgement. */
  signal: Signal | undefined;
  announceDataFin = false;
  /** Of our MP_TCPRST and of the peer's (RFC 8684 §3.6); -1: there is none. */
  resetReason = -1;
  peerResetReason = -1;
  /** The peer says that the path may be tried again soon. */
  peerResetTransient = false;
  /** Data sequence number for MP_FAIL on a RST. */
  failedSequence: Uint64 | undefined;

  reinjections = 0;
  readonly #windowCap = new WindowCap();
  readonly #journal: SubflowJournal;

  constructor(connection: Connection, options: SubflowOptions) {
    const environment = connection.environment;
    this.id = options.id;
    this.role = options.role;
    this.connection = connection;
    this.local = options.local;
    this.backup = options.backup;
    this.asksForBackup = options.backup;
    this.remoteAddressId = options.remoteAddressId;
    this.localNonce = environment.random();
    this.joinConfirmed = options.role !== "join-client";
    this.congestion = connection.algorithms.newCongestionControl(connection.coupling);
    this.#journal = new SubflowJournal(connection, options.id);
    this.agenda = new AgendaEntry(connection.subflowSet.agenda, options.place);
    this.held = new HeldPayload(this.agenda);
    this.endpoint = new TcpEndpoint({
      user: this,
      agenda: this.agenda,
      journal: this.#journal,
      congestion: this.congestion,
      route: { interfaceIndex: options.local.interfaceIndex },
      localAddress: options.local.address,
      localPort: options.localPort,
      remoteAddress: options.remoteAddress,
      remotePort: options.remotePort,
      host: environment.hostTcp,
      maximumSegmentSize: options.local.maximumSegmentSize,
      gso: options.local.gso,
      tcp: connection.tcp,
      windowScale: connection.windowScale,
    });
  }

  noteCheck(): void {
    this.agenda.checkAt = Math.min(this.thirdAck.nextTimeout, this.silenceCheck.nextTimeout);
  }

  /** The peer, too, has the subflow established. */
  confirmJoin(now: number): void {
    if (this.joinConfirmed) return;
    this.joinConfirmed = true;
    this.thirdAck.answered(now);
    this.connection.subflowSet.confirmed++;
    if (this.usable) this.connection.paths.onSubflowUsable(this, now);
  }

  get isJoin(): boolean {
    return this.role === "join-client" || this.role === "join-server";
  }

  /** We have opened it. */
  get isOwn(): boolean {
    return this.role === "initial-client" || this.role === "join-client";
  }

  get localAddress(): IpAddress {
    return this.endpoint.localAddress;
  }

  get remoteAddress(): IpAddress {
    return this.endpoint.remoteAddress;
  }

  get consecutiveTimeouts(): number {
    return this.endpoint.sender.consecutiveTimeouts;
  }

  get heardAt(): number {
    return Math.max(this.endpoint.heardAt, this.endpoint.handshakeStartedAt);
  }

  get smoothedRttMicroseconds(): number {
    return this.endpoint.sender.rtt.smoothed;
  }

  get rttVariationMicroseconds(): number {
    return this.endpoint.sender.rtt.variation;
  }

  get congestionWindow(): number {
    return this.congestion.congestionWindow;
  }

  get bytesInFlight(): number {
    return this.endpoint.sender.bytesInFlight;
  }

  get segmentSize(): number {
    return this.endpoint.segmentSize;
  }

  get stale(): boolean {
    return this.#staleness.stale;
  }

  get usable(): boolean {
    return this.established && this.joinConfirmed && this.endpoint.canSendData;
  }

  /** One side has reset it because MPTCP does not get through there (RFC 8684 §3.6). */
  get hasFailedForGood(): boolean {
    return isInterference(this.resetReason) || (isInterference(this.peerResetReason) && !this.peerResetTransient);
  }

  get ended(): boolean {
    return this.connection.closed;
  }

  /** Data of other subflows fill the window that this one is told (RFC 8684 §3.3.5). */
  get windowIsShared(): boolean {
    return !this.connection.plain;
  }

  get marking(): PacketMarking {
    return this.connection.marking;
  }

  get dataOptionsLength(): number {
    return this.connection.dataOptionsLength;
  }

  /** Sends `length` bytes of the send buffer from data offset `start` as one item with one mapping. */
  sendData(start: number, length: number, now: number, output: SegmentOutput): SentRange {
    const connection = this.connection;
    const range = this.endpoint.sender.append(length);
    range.mappingStart = range.start;
    range.mappingDataStart = start;
    range.mappingLength = length;
    connection.sendBuffer.fill(range, start, length);
    if (connection.checksumEnabled && !connection.plain) {
      range.mappingChecksum = mappingChecksum(range, connection.localKey!.firstDataSequence, this.synDataSent);
    }
    connection.sequenceWidth.note(connection.dataSender.next, now);
    this.endpoint.transmitNew(range, now, output);
    return range;
  }

  /** Payload that waits for its mapping, or for the end of it, is acknowledged, so it has to fit when fallback makes data of it (RFC 8684 §3.7). */
  receiveWindow(): number {
    let waiting = this.held.byteCount;
    for (const { length } of this.unverified) waiting += length;
    return Math.max(0, this.connection.receiveWindow - waiting);
  }

  addOptions(segment: TcpSegment, range: SentRange | undefined, attempt: number): void {
    writeOptions(this, segment, range, attempt);
  }

  handleSynOptions(segment: TcpSegment, now: number): boolean {
    return readSynOptions(this, segment, now);
  }

  handleRepeatedSyn(segment: TcpSegment): void {
    readRepeatedSyn(this, segment);
  }

  handleOptions(segment: TcpSegment, now: number): boolean {
    return readOptions(this, segment, now);
  }

  handlePayload(offset: number, bytes: Uint8Array, byteOffset: number, length: number, now: number): void {
    deliverMapped(this, offset, bytes, byteOffset, length, now);
  }

  handleFin(now: number): void {
    this.connection.lifetime.onSubflowFin(this, now);
  }

  handleAcknowledged(range: SentRange, end: number): void {
    if (this.connection.plain) this.connection.dataSender.acknowledgePlain(range.dataOffsetAt(end));
  }

  handleProgress(now: number): void {
    this.#staleness.end(now);
  }

  handleRttSample(rttMicroseconds: number, now: number): void {
    const { sender } = this.endpoint;
    const { environment, subflowSet } = this.connection;
    const active = environment.mechanisms.windowCapping && subflowSet.hasSeveralUsable;
    const baseRtt = this.#windowCap.baseRttMicroseconds;
    const rtt = this.#windowCap.onRttSample(
      this.congestion,
      rttMicroseconds,
      sender.unacknowledged,
      sender.next,
      active,
      initialWindow(this.endpoint.segmentSize),
      now,
    );
    if (this.#journal.congestion !== undefined) this.#traceRoundTrip(this.#journal.congestion, baseRtt, now);
    if (rtt === 0) return;
    environment.record({
      time: now,
      name: "congestion:window-capped",
      connection: this.connection.id,
      subflow: this.id,
      section: "NSDI'12 §4.2",
      congestionWindow: this.congestion.congestionWindow,
      rttMicroseconds: rtt,
      baseRttMicroseconds: this.#windowCap.baseRttMicroseconds,
    });
  }

  #traceRoundTrip(record: DecisionRecorder, formerBaseRttMicroseconds: number, now: number): void {
    const { congestion, endpoint } = this;
    const { rtt, pacer, bytesInFlight } = endpoint.sender;
    record(
      {
        name: "recovery:metrics-updated",
        section: "RFC 6298 §2",
        congestionControl: congestion.name,
        congestionWindow: congestion.congestionWindow,
        slowStartThreshold: congestion.slowStartThreshold,
        bytesInFlight,
        latestRttMicroseconds: rtt.latest,
        smoothedRttMicroseconds: rtt.smoothed,
        minimumRttMicroseconds: rtt.minimum,
        rttVariationMicroseconds: rtt.variation,
        timeoutMicroseconds: rtt.timeout,
        pacingRate: pacer.enabled && Number.isFinite(pacer.rate) ? pacer.rate * 8e6 : undefined,
      },
      now,
    );
    const { baseRttMicroseconds } = this.#windowCap;
    if (baseRttMicroseconds <= formerBaseRttMicroseconds) return;
    const name = "congestion:base-rtt-raised";
    record({ name, section: "NSDI'12 §4.2", formerBaseRttMicroseconds, baseRttMicroseconds }, now);
  }

  handleRetransmissionTimeout(now: number): void {
    this.#staleness.onRetransmissionTimeout(now);
  }

  /** Nothing more is given to it as long as others live, and they get what it holds, until it is heard of again. */
  doubt(now: number): void {
    this.#staleness.begin(now, false);
  }

  takeSynData(limit: number): SentRange | undefined {
    return takeSynData(this, limit);
  }

  handleSynDataAnswered(accepted: number, now: number): void {
    settleSynData(this, accepted, now);
  }

  prepareSynData(length: number, segment: TcpSegment): boolean {
    return prepareSynData(this, length, segment);
  }

  /** With MPTCP the peer's key is not known before the third segment, and with it how to answer. */
  get mayAnswerSyn(): boolean {
    return this.connection.plain;
  }

  handleEstablished(now: number): void {
    this.established = true;
    this.connection.lifetime.onSubflowEstablished(this, now);
  }

  handleClosed(reason: SubflowCloseReason, now: number): void {
    this.connection.subflowSet.noteClosed();
    this.connection.lifetime.onSubflowClosed(this, reason, now);
  }

  get addresses(): Pick<SubflowInfo, "interfaceName" | "localAddress" | "localPort" | "remoteAddress" | "remotePort"> {
    const { endpoint } = this;
    return {
      interfaceName: this.local.interfaceName,
      localAddress: formatIpAddress(endpoint.localAddress),
      localPort: endpoint.localPort,
      remoteAddress: formatIpAddress(endpoint.remoteAddress),
      remotePort: endpoint.remotePort,
    };
  }

  get info(): SubflowInfo {
    return subflowInfo(this);
  }
}

function isInterference(reason: number): boolean {
  return reason === resetReason.mptcpSpecific || reason === resetReason.middleboxInterference;
}

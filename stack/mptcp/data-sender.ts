/** The send side of a connection: which data go on which subflow, and what has to be sent again on another (RFC 8684 §3.3). */

import { fastest, type Scheduler } from "../scheduler/scheduler.ts";
import type { SentRange } from "../tcp/sent-queue.ts";
import { finIsAcknowledged } from "../tcp/tcp-state.ts";
import type { SegmentOutput } from "../tcp/tcp-user.ts";
import type { Connection } from "./connection.ts";
import { DataTimer } from "./data-timer.ts";
import { OpportunisticRetransmission } from "./opportunistic-retransmission.ts";
import { ReinjectionQueue } from "./reinjection-queue.ts";
import { RetransmissionEpisodes } from "./retransmission-episodes.ts";
import { SchedulerTrace } from "./scheduler-trace.ts";
import type { Subflow } from "./subflow.ts";

/** Bytes that are sent again at once when no subflow holds what the peer waits for. */
const retransmissionBurst = 65_000;
const maximumMapping = 65_000;

export class DataSender {
  /** Data offsets: acknowledged by DATA_ACK; next to be sent; first beyond the peer's window. DATA_FIN counts as one. */
  unacknowledged = 0;
  next = 0;
  windowEdge = 0;
  /** When the peer offered a larger window than ever before. */
  windowGrewAt = 0;
  /** Data offset of our DATA_FIN, once the application has ended; Infinity before. */
  finOffset: number = Number.POSITIVE_INFINITY;
  finSent = false;
  readonly reinjections: ReinjectionQueue = new ReinjectionQueue();

  readonly #connection: Connection;
  readonly timer: DataTimer;
  readonly episodes: RetransmissionEpisodes;
  readonly #opportunistic: OpportunisticRetransmission;
  readonly #scheduler: Scheduler;
  readonly #trace: SchedulerTrace | undefined;
  readonly #demand = { pendingBytes: 0, windowBytes: 0 };
  /** What subflows were offered last in this `transmit`, -1: nothing yet; and who has sent since: what the others may carry is still the same. */
  #offeredLength = -1;
  #largestWindow = 0;
  /** Octets of options beside the data that were offered: what is left of a segment for them. */
  #optionsLength = 0;
  #lastUsed: Subflow | undefined;
  /** The scheduler was asked for new data and named nobody: it is not the window that is in the way. */
  #schedulerWaits = false;
  /** Data offset behind the latest segment that was not full. */
  #smallSegmentEnd = 0;

  constructor(connection: Connection) {
    this.#connection = connection;
    this.timer = new DataTimer(connection, this);
    this.episodes = new RetransmissionEpisodes(connection);
    this.#scheduler = connection.algorithms.newScheduler();
    const record = connection.environment.trace.scheduler;
    this.#trace = record && new SchedulerTrace(connection, this.#scheduler, record);
    this.#opportunistic = new OpportunisticRetransmission(connection, this.episodes, this.#trace);
  }

  /** The application's bytes, or their end, that the peer has not acknowledged. */
  get owesData(): boolean {
    return !this.finAcknowledged && this.unacknowledged < this.#connection.sendBuffer.end;
  }

  /** The peer has acknowledged all that the application has written, and its end if that has come: as plain TCP, by the FIN's acknowledgement. */
  get isSettled(): boolean {
    if (this.owesData) return false;
    if (this.finOffset === Number.POSITIVE_INFINITY || this.finAcknowledged) return true;
    const { plain, subflows } = this.#connection;
    return plain && this.finSent && subflows.every(({ endpoint }) => finIsAcknowledged(endpoint.state));
  }

  /** The peer was asked for its window, and has not told it. */
  get awaitsWindow(): boolean {
    return this.timer.awaitsWindow;
  }

  get finAcknowledged(): boolean {
    return this.unacknowledged > this.finOffset;
  }

  get hasUnacknowledgedData(): boolean {
    return this.unacknowledged < this.next;
  }

  /** Data or DATA_FIN have been sent that no DATA_ACK covers. */
  get awaitsDataAck(): boolean {
    return this.hasUnacknowledgedData || (this.finSent && !this.finAcknowledged);
  }

  /** `window` bytes are allowed from data offset `offset` on. A number that was never sent is ignored. */
  handleDataAck(offset: number, window: number, now: number): void {
    const sent = this.finSent ? this.finOffset + 1 : this.next;
    if (!(offset <= sent)) return;
    if (offset + window > this.windowEdge) this.windowEdge = offset + window;
    if (window > this.#largestWindow) {
      this.#largestWindow = window;
      this.windowGrewAt = now;
    }
    if (offset <= this.unacknowledged) return;
    this.unacknowledged = offset;
    this.timer.restart(now);
    this.#connection.onDataAcknowledged(Math.min(offset, this.finOffset));
  }

  /** The subflow is silent, or gone (`holder` undefined): what it holds goes to others as well. */
  reinjectFrom(subflow: Subflow, holder: number | undefined): number {
    let bytes = 0;
    for (let range = subflow.endpoint.sender.queue.head; range !== undefined; range = range.next) {
      if (range.fin || range.mappingLength === 0 || range.dataEnd <= this.unacknowledged) continue;
      if (range.reinjected && holder !== undefined) continue;
      range.reinjected = true;
      const start = Math.max(this.unacknowledged, range.dataStart);
      this.reinjections.add(start, range.dataEnd, holder);
      bytes += range.dataEnd - start;
    }
    // A join that was refused took nothing.
    const mayHaveTaken = holder === undefined && !this.#connection.subflowSet.peerMayFallBack;
    return mayHaveTaken && this.hasUnacknowledgedData && !this.isHeadHeld ? bytes + this.reinjectHead() : bytes;
  }

  /** A subflow holds what the peer waits for, and will send it again itself; of a silent one that is not enough where others may do it. */
  get isHeadHeld(): boolean {
    const { reinjection } = this.#connection.environment.mechanisms;
    return this.#connection.subflows.some(
      ({ stale, endpoint }) =>
        !(stale && reinjection) && !endpoint.closed && endpoint.sender.queue.holding(this.unacknowledged) !== undefined,
    );
  }

  /** What the peer waits for and no subflow holds: one that was reset took it along after it had acknowledged it. Returns how many bytes. */
  reinjectHead(): number {
    const waiting = this.reinjections.first(this.unacknowledged)?.start ?? Number.POSITIVE_INFINITY;
    const end = Math.min(this.next, this.unacknowledged + retransmissionBurst, waiting);
    this.reinjections.add(this.unacknowledged, end, undefined);
    return end - this.unacknowledged;
  }

  /** Everything that is under way is on `subflow`, in one piece with what will follow: its stream can be the data (RFC 8684 §3.7). */
  isContiguousOn(subflow: Subflow): boolean {
    if (this.reinjections.first(this.unacknowledged) !== undefined) return false;
    let end: number | undefined;
    for (let range = subflow.endpoint.sender.queue.head; range !== undefined; range = range.next) {
      if (range.fin) continue;
      if (end !== undefined && range.dataStart !== end) return false;
      end = range.dataEnd;
    }
    return end === undefined || end === this.next;
  }

  /** Where on `subflow` the first byte stands that is not acknowledged; undefined when it was sent elsewhere. */
  positionOn(subflow: Subflow): number | undefined {
    if (!this.hasUnacknowledgedData) return subflow.endpoint.sender.next;
    const position = subflow.endpoint.sender.next - (this.next - this.unacknowledged);
    return position >= 1 ? position : undefined;
  }

  /** Plain TCP from here on: what the peer's TCP has acknowledged is acknowledged, and FIN ends the stream. */
  fallBack(subflow: Subflow, now: number): void {
    this.stop(now);
    this.finSent = false;
    const { head } = subflow.endpoint.sender.queue;
    this.acknowledgePlain(head === undefined || head.fin ? this.next : head.dataStart);
    this.timer.arm(now);
  }

  /** As plain TCP, the subflow's acknowledgement is the connection's. */
  acknowledgePlain(offset: number): void {
    if (offset <= this.unacknowledged) return;
    this.unacknowledged = offset;
    this.#connection.onDataAcknowledged(offset);
  }

  /** The first bytes, for the SYN of `subflow`. */
  takeForSyn(subflow: Subflow, limit: number): SentRange | undefined {
    const { sendBuffer } = this.#connection;
    const length = Math.min(limit, sendBuffer.end);
    if (length <= 0 || this.next > 0) return undefined;
    const range = subflow.endpoint.sender.append(length);
    range.mappingStart = range.start;
    range.mappingDataStart = 0;
    range.mappingLength = length;
    sendBuffer.fill(range, 0, length);
    this.next = length;
    return range;
  }

  /** The peer has answered the SYN, and taken the first `length` bytes: at the data level nothing more will be said of them. */
  acknowledgeSynData(length: number, now: number): void {
    this.unacknowledged = length;
    this.windowEdge += length;
    this.timer.restart(now);
    if (length > 0) this.#connection.onDataAcknowledged(length);
  }

  /** The first subflow begins anew: what went out with its SYN has not been taken. */
  restart(): void {
    this.next = 0;
  }

  transmit(now: number, output: SegmentOutput): void {
    if (!this.#hasNothingToCarry) this.#carry(now, output);
    this.#announceFin(now);
    this.timer.arm(now);
  }

  #carry(now: number, output: SegmentOutput): void {
    this.#offeredLength = -1;
    this.#schedulerWaits = false;
    for (;;) {
      if (this.#transmitReinjection(now, output)) continue;
      if (this.#sendsCopies ? this.#transmitCopy(now, output) : this.#transmitNew(now, output)) continue;
      if (this.#schedulerWaits || !this.#connection.subflowSet.hasSeveralUsable) return;
      if (!this.#transmitOpportunistically(now, output)) return;
    }
  }

  /** All that the application has written is acknowledged. A scheduler that sends copies is asked all the same: each of its decisions may be traced. */
  get #hasNothingToCarry(): boolean {
    return this.unacknowledged >= this.#connection.sendBuffer.end && this.#scheduler.sendsCopies !== true;
  }

  handleTimeout(now: number): void {
    this.episodes.handleTimeout(now);
    this.timer.handleTimeout(now);
  }

  /** With a single subflow, or as plain TCP, there is nothing to copy. */
  get #sendsCopies(): boolean {
    const { plain, subflowSet } = this.#connection;
    return this.#scheduler.sendsCopies === true && !plain && subflowSet.hasSeveralUsable;
  }

  stop(now: number): void {
    this.episodes.close(now);
    this.reinjections.clear();
    this.timer.stop();
  }

  /** Bytes that were sent on a subflow after another had carried them already. */
  /** Of the data level's timer, in a row. */
  get timeouts(): number {
    return this.timer.expiries;
  }

  get bytesRetransmitted(): number {
    return this.episodes.bytes;
  }

  #transmitReinjection(now: number, output: SegmentOutput): boolean {
    const entry = this.reinjections.first(this.unacknowledged);
    if (entry === undefined) return false;
    const length = Math.min(entry.end - entry.start, maximumMapping);
    const { subflows } = this.#connection;
    this.#offer(length, now);
    const holder = subflows.find(({ id }) => id === entry.holder);
    const subflow = fastest(subflows, true, holder);
    if (subflow === undefined || subflow.space <= 0) return false;
    this.#trace?.reinjection(subflow, length, this.windowEdge - this.unacknowledged, now);
    const sent = Math.min(length, subflow.space);
    subflow.reinjections++;
    this.episodes.note("reinject", subflow.id, entry.holder ?? -1, entry.start, sent, now);
    subflow.sendData(entry.start, sent, now, output);
    this.#lastUsed = subflow;
    this.reinjections.advance(sent);
    return true;
  }

  #transmitNew(now: number, output: SegmentOutput): boolean {
    const connection = this.#connection;
    const limit = connection.plain ? Number.POSITIVE_INFINITY : this.windowEdge;
    const end = Math.min(connection.sendBuffer.end, limit);
    const demand = this.#demand;
    demand.pendingBytes = end - this.next;
    if (demand.pendingBytes <= 0) return false;
    demand.windowBytes = Math.min(limit - this.unacknowledged, connection.environment.sendBufferBytes);
    this.#offer(Math.min(demand.pendingBytes, maximumMapping), now);
    const subflow = this.#scheduler.select(connection.subflows, demand);
    this.#trace?.decision("new", subflow, demand, now);
    this.#schedulerWaits = subflow === undefined;
    if (subflow === undefined) return false;
    const length = this.#lengthFor(subflow, demand.pendingBytes);
    if (length <= 0) return false;
    const start = this.next;
    this.next += length;
    subflow.copiedUntil = this.next;
    if (this.next === end && length % subflow.segmentSize > 0) this.#smallSegmentEnd = end;
    subflow.sendData(start, length, now, output);
    this.#lastUsed = subflow;
    return true;
  }

  #lengthFor(subflow: Subflow, pending: number): number {
    const length = Math.min(pending, subflow.space);
    return length === pending && this.#delaysSmallSegments ? length - (length % subflow.segmentSize) : length;
  }

  /** Each subflow goes on from where it is in the stream, whatever the others have sent. */
  #transmitCopy(now: number, output: SegmentOutput): boolean {
    const connection = this.#connection;
    const end = Math.min(connection.sendBuffer.end, this.windowEdge);
    this.#noteOptionsLength();
    this.#offeredLength = -1;
    for (const subflow of connection.subflows) {
      subflow.copiedUntil = Math.max(this.unacknowledged, subflow.copiedUntil);
      this.#offerTo(subflow, Math.min(end - subflow.copiedUntil, maximumMapping), now);
    }
    const subflow = this.#scheduler.select(connection.subflows, this.#demand);
    this.#trace?.decision("copy", subflow, this.#demand, now);
    if (subflow === undefined) return false;
    const start = subflow.copiedUntil;
    const length = this.#lengthFor(subflow, end - start);
    if (length <= 0) return false;
    subflow.copiedUntil += length;
    this.next = Math.max(this.next, subflow.copiedUntil);
    if (subflow.copiedUntil === end && length % subflow.segmentSize > 0) this.#smallSegmentEnd = end;
    subflow.sendData(start, length, now, output);
    return true;
  }

  /**
   * A small segment waits while another is unacknowledged (RFC 9293 §3.7.4; Minshall's form, as Linux: full segments do not delay it). Of the connection, since the peer
   * reads one stream. The last one, before the end of the stream, does not wait.
   */
  get #delaysSmallSegments(): boolean {
    return (
      !this.#connection.noDelay &&
      this.#smallSegmentEnd > this.unacknowledged &&
      this.finOffset === Number.POSITIVE_INFINITY
    );
  }

  #offer(length: number, now: number): void {
    const { subflows } = this.#connection;
    this.#noteOptionsLength();
    if (length === this.#offeredLength) {
      if (this.#lastUsed !== undefined) this.#offerTo(this.#lastUsed, length, now);
    } else for (const subflow of subflows) this.#offerTo(subflow, length, now);
    this.#offeredLength = length;
    this.#lastUsed = undefined;
  }

  #noteOptionsLength(): void {
    const { subflows, dataOptionsLength } = this.#connection;
    if (dataOptionsLength === this.#optionsLength) return;
    this.#optionsLength = dataOptionsLength;
    this.#offeredLength = -1;
    for (const { endpoint } of subflows) endpoint.noteSegmentSize();
  }

  /** What `subflow` may carry of `length` bytes now. */
  #offerTo(subflow: Subflow, length: number, now: number): void {
    const { endpoint } = subflow;
    subflow.space = 0;
    subflow.pacedBytes = 0;
    if (length <= 0 || length >= endpoint.fullFor || !subflow.usable) return;
    subflow.space = endpoint.sendAllowance(length, this.#connection.plain, now);
    subflow.pacedBytes = endpoint.sender.pacer.heldBytes;
  }

  /** Nothing new may be sent: what a subflow with room can do for the others. */
  #transmitOpportunistically(now: number, output: SegmentOutput): boolean {
    const { environment, subflows } = this.#connection;
    if (!this.hasUnacknowledgedData) return false;
    this.#offer(maximumMapping, now);
    const fast = fastest(subflows, true);
    if (fast === undefined || fast.space <= 0) return false;
    if (this.#connection.sendBuffer.end > this.next) this.#scheduler.onWindowBlocked?.();
    if (!environment.mechanisms.opportunisticRetransmission) return false;
    // It may take window from another.
    this.#offeredLength = -1;
    return this.#opportunistic.transmit(fast, this.unacknowledged, now, output);
  }

  /** DATA_FIN follows the last byte (RFC 8684 §3.3.3); as plain TCP, the FIN does. */
  #announceFin(now: number): void {
    const connection = this.#connection;
    if (this.finSent || this.finOffset === Number.POSITIVE_INFINITY || this.next < this.finOffset) return;
    if (connection.plain) {
      this.finSent = true;
      for (const subflow of connection.subflows) subflow.endpoint.close(now);
      return;
    }
    if (!connection.subflows.some((subflow) => subflow.usable)) return;
    this.finSent = true;
    this.requestFin();
  }

  /** DATA_FIN, on every subflow, since any of them may lose it. */
  requestFin(): void {
    for (const subflow of this.#connection.subflows) {
      if (!subflow.usable) continue;
      subflow.announceDataFin = true;
      subflow.endpoint.requestAck();
    }
  }
}

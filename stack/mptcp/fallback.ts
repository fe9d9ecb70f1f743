/**
 * How a connection goes on as plain TCP, and when it may (RFC 8684 §3.7): with one subflow, whose stream is the data without a gap. Once a second
 * subflow has carried data neither side can know that; then the one that is tampered with is reset, and its data go over the others.
 */

import type { FallbackReason } from "../events.ts";
import type { SentRange } from "../tcp/sent-queue.ts";
import { resetReason } from "../wire/mptcp-options.ts";
import { addHigh, addLow, type Uint64 } from "../wire/sequence.ts";
import type { TcpSegment } from "../wire/tcp-segment.ts";
import type { Connection } from "./connection.ts";
import type { Mapping } from "./mapping-table.ts";
import type { Subflow } from "./subflow.ts";
import { giveUpHeld, releaseHeld, releaseUnverified } from "./subflow-delivery.ts";

/** From `subflowStart` on the subflow's stream is the data, without a gap, from `dataStart`. */
export interface InfiniteMapping {
  readonly subflowStart: number;
  readonly dataStart: number;
}

export class Fallback {
  /** undefined: the connection speaks MPTCP. */
  reason: FallbackReason | undefined;
  readonly #connection: Connection;
  /** MP_FAIL has to go out before the fallback that it announces. */
  #failedOn: Subflow | undefined;
  /** What the peer has to be told after its MP_FAIL: our stream from here on is the data. */
  #announcedMapping: InfiniteMapping | undefined;
  /** Where new data began when MP_FAIL came. */
  #newFrom = 0;
  /** Offset behind the first new data that carried it; what they replace, when sent again, carries it too. */
  #announcedEnd: number = Number.POSITIVE_INFINITY;

  constructor(connection: Connection, reason: FallbackReason | undefined) {
    this.#connection = connection;
    this.reason = reason;
  }

  /** From now on the stream of `subflow` is the data; others, which can only be half open, end. */
  begin(reason: FallbackReason, subflow: Subflow, now: number): void {
    if (this.reason !== undefined) return;
    const connection = this.#connection;
    this.reason = reason;
    releaseUnverified(subflow);
    subflow.infiniteMapping ??= {
      subflowStart: subflow.delivered,
      dataStart: subflow.delivered === 1 ? 0 : connection.reassembly.next,
    };
    connection.dataSender.fallBack(subflow, now);
    connection.environment.unregisterToken(connection.localKey!.token);
    this.#noteFallback(reason, now);
    for (const other of connection.subflows) if (other !== subflow) other.endpoint.abort("aborted", now);
    releaseHeld(subflow, now);
    // The FIN that ended the subflow ends the stream.
    if (subflow.endpoint.state === "close-wait") connection.lifetime.onRemoteEnd();
  }

  /** Data segments declare an infinite mapping. */
  get isAnnouncing(): boolean {
    return this.#announcedMapping !== undefined;
  }

  /** The infinite mapping that a segment with these data of the subflow has to declare, until new data that carried it have been acknowledged. */
  mappingToAnnounce(subflow: Subflow, range: SentRange): InfiniteMapping | undefined {
    const mapping = this.#announcedMapping;
    if (mapping === undefined || range.start < mapping.subflowStart) return undefined;
    if (subflow.endpoint.sender.unacknowledged >= this.#announcedEnd) {
      this.#announcedMapping = undefined;
      return undefined;
    }
    if (range.start >= this.#newFrom) this.#announcedEnd = Math.min(this.#announcedEnd, range.start + range.length);
    return mapping;
  }

  /** Before the first subflow: MPTCP is not to be spoken. */
  refuse(reason: FallbackReason, now: number): void {
    const { environment, localKey } = this.#connection;
    this.reason = reason;
    environment.unregisterToken(localKey!.token);
    this.#noteFallback(reason, now);
  }

  handleTimeout(now: number): void {
    for (const subflow of this.#connection.subflows) if (subflow.held.deadline <= now) giveUpHeld(subflow, now);
  }

  onInfiniteMapping(subflow: Subflow, subflowStart: number, dataStart: number, now: number): void {
    if (!this.#isOnly(subflow)) {
      this.#reset(subflow, resetReason.mptcpSpecific, now);
      return;
    }
    const start = Math.max(subflowStart, subflow.delivered);
    subflow.infiniteMapping = { subflowStart: start, dataStart: dataStart + (start - subflowStart) };
    this.begin("infinite-mapping-received", subflow, now);
  }

  /** MP_FAIL: the peer saw a wrong checksum behind data offset `failedAt`. It is answered with MP_FAIL and an infinite mapping from what it has acknowledged on. */
  onFail(subflow: Subflow, failedAt: number, now: number): void {
    const { dataSender, reassembly } = this.#connection;
    this.#noteFail(subflow, "remote", failedAt, now);
    const subflowStart = dataSender.positionOn(subflow);
    if (!this.#mayBegin(subflow, now) || subflowStart === undefined) {
      subflow.failedSequence = this.#peerSequence(reassembly.next);
      this.#noteFail(subflow, "local", reassembly.next, now);
      this.#reset(subflow, resetReason.middleboxInterference, now);
      return;
    }
    this.#announcedMapping = { subflowStart, dataStart: dataSender.unacknowledged };
    this.#newFrom = subflow.endpoint.sender.next;
    this.#sendFail(subflow, reassembly.next, now);
    this.#failedOn = subflow;
  }

  /** A mapping that contradicts one before, lacks the checksum that was agreed on, or has one that was not (RFC 8684 §3.3). */
  onInvalidMapping(
    subflow: Subflow,
    reason: "contradicts-earlier" | "checksum-missing" | "checksum-unexpected",
    dataOffset: number,
    bytes: number,
    now: number,
  ): void {
    const { environment, id } = this.#connection;
    environment.trace.fallback?.({
      time: now,
      name: "mptcp:mapping-refused",
      connection: id,
      subflow: subflow.id,
      section: "RFC 8684 §3.3.1",
      reason,
      dataOffset,
      bytes,
    });
    this.#reset(subflow, resetReason.mptcpSpecific, now);
  }

  /** In-order payload at `offset` that no mapping covers. True: it is data all the same. */
  onUnmappedData(subflow: Subflow, offset: number, now: number): boolean {
    const { next } = this.#connection.reassembly;
    if (!this.#mayBegin(subflow, now) || !subflow.mappings.isOnePiece(offset, next)) {
      this.#reset(subflow, resetReason.middleboxInterference, now);
      return false;
    }
    subflow.infiniteMapping = { subflowStart: offset, dataStart: next };
    if (!this.#connection.confirmed) {
      this.begin("first-data-without-option", subflow, now);
      return true;
    }
    this.begin("mapping-missing", subflow, now);
    // Without an option: the peer, which had DATA_ACKs until here, learns that we have fallen back before it sends at data level again.
    subflow.endpoint.requestAck();
    return true;
  }

  /** Before the peer is known to speak MPTCP, a segment without any option. Once a join has been established, data may have gone that way. */
  onStrippedOptions(subflow: Subflow, segment: TcpSegment, now: number): void {
    if (!this.#mayBegin(subflow, now)) return;
    const isData = segment.payloadLength > 0 || subflow.held.first !== undefined;
    this.begin(isData ? "first-data-without-option" : "acknowledgement-without-option", subflow, now);
  }

  /** A joined subflow whose first data are acknowledged without a DSS: its path strips options, and data elsewhere are under way. */
  onStrippedJoin(subflow: Subflow, now: number): void {
    this.#reset(subflow, resetReason.middleboxInterference, now);
  }

  /** What tells of options that get lost: data, or the acknowledgement of ours, without any. */
  noteSegment(subflow: Subflow, segment: TcpSegment, now: number): void {
    const { dataSender } = this.#connection;
    if (segment.mptcp.present !== 0) {
      subflow.optionsMissing = false;
      subflow.optionsHeardAt = now;
      subflow.optionsEcho = segment.hasTimestamps ? segment.timestampEcho : -1;
    } else if (
      segment.payloadLength > 0 ||
      subflow.endpoint.sender.outstanding > 0 ||
      dataSender.hasUnacknowledgedData ||
      dataSender.awaitsWindow
    )
      subflow.optionsMissing = true;
  }

  /** The data level is not answered although subflows are: where options have vanished, that is why. */
  onDataTimeout(now: number): void {
    for (const subflow of this.#connection.subflows) {
      if (!subflow.usable || !subflow.optionsMissing) continue;
      this.#beginOrReset(subflow, now);
      if (this.reason !== undefined) return;
    }
  }

  /**
   * The peer's FIN: what waited for a mapping gets none any more, and a peer that has fallen back ends its stream so. Such a peer would also take our FIN for the
   * end of our stream, so it must not get one before that.
   */
  onFin(subflow: Subflow, now: number): void {
    giveUpHeld(subflow, now);
    if (this.reason !== undefined || subflow.endpoint.closed || this.#connection.lifetime.exchangedAll) return;
    if (subflow.optionsMissing) this.#beginOrReset(subflow, now);
  }

  /** The whole mapping has come, with a wrong checksum. True: its bytes are data all the same. */
  onChecksumFailure(subflow: Subflow, mapping: Mapping, now: number): boolean {
    const { dataStart, subflowStart, length } = mapping;
    const { environment, id: connection } = this.#connection;
    const name = "mptcp:checksum-failed";
    const section = "RFC 8684 §3.7";
    environment.record({
      time: now,
      name,
      connection,
      subflow: subflow.id,
      section,
      dataOffset: dataStart,
      bytes: length,
    });
    if (!this.#mayBegin(subflow, now)) {
      // RFC 8684 §3.7: with other subflows, MP_FAIL goes with the RST, and the data come again over those.
      subflow.failedSequence = this.#peerSequence(dataStart);
      this.#noteFail(subflow, "local", dataStart, now);
      this.#reset(subflow, resetReason.middleboxInterference, now);
      return false;
    }
    this.#sendFail(subflow, dataStart, now);
    this.#failedOn = subflow;
    subflow.infiniteMapping = { subflowStart: subflowStart + length, dataStart: dataStart + length };
    return true;
  }

  /** The signals have been sent: MP_FAIL among them. */
  afterSignals(now: number): void {
    const subflow = this.#failedOn;
    this.#failedOn = undefined;
    if (subflow !== undefined) this.begin("checksum-failed", subflow, now);
  }

  #sendFail(subflow: Subflow, dataOffset: number, now: number): void {
    if (this.#failedOn !== undefined) return;
    this.#connection.paths.sendSignal({ kind: "fail", ...this.#peerSequence(dataOffset) });
    this.#noteFail(subflow, "local", dataOffset, now);
  }

  #noteFail(subflow: Subflow, initiator: "local" | "remote", dataOffset: number, now: number): void {
    const { environment, id: connection } = this.#connection;
    const name = "mptcp:fail";
    const section = "RFC 8684 §3.7";
    environment.record({ time: now, name, connection, subflow: subflow.id, section, initiator, dataOffset });
  }

  #noteFallback(reason: FallbackReason, now: number): void {
    const { environment, id: connection } = this.#connection;
    environment.record({ time: now, name: "mptcp:fallback", connection, section: "RFC 8684 §3.7", reason });
  }

  #peerSequence(dataOffset: number): Uint64 {
    const base = this.#connection.peerKey!.firstDataSequence;
    return { high: addHigh(base, dataOffset), low: addLow(base, dataOffset) };
  }

  /** No other subflow has been established. */
  #isOnly(subflow: Subflow): boolean {
    return this.#connection.subflows.every((other) => other === subflow || other.endpoint.closed || !other.established);
  }

  /** Both streams of `subflow`, from here on, are the data without a gap. */
  #mayBegin(subflow: Subflow, now: number): boolean {
    const { reassembly, dataSender, subflowSet } = this.#connection;
    const { hasBeenAlone } = subflowSet;
    const isOnly = this.#isOnly(subflow);
    const { outOfOrderBytes } = reassembly;
    const contiguous = dataSender.isContiguousOn(subflow);
    const allowed = hasBeenAlone && isOnly && outOfOrderBytes === 0 && contiguous;
    this.#connection.environment.trace.fallback?.({
      time: now,
      name: "mptcp:fallback-considered",
      connection: this.#connection.id,
      subflow: subflow.id,
      section: "RFC 8684 §3.7",
      allowed,
      hasBeenAlone,
      isOnly,
      outOfOrderBytes,
      contiguous,
    });
    return allowed;
  }

  /** The options of `subflow` have vanished. */
  #beginOrReset(subflow: Subflow, now: number): void {
    if (this.#mayBegin(subflow, now)) this.begin("acknowledgement-without-option", subflow, now);
    else this.#reset(subflow, resetReason.middleboxInterference, now);
  }

  #reset(subflow: Subflow, reason: number, now: number): void {
    subflow.resetReason = reason;
    subflow.endpoint.abort("protocol-error", now);
  }
}

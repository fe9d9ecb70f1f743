/** How a connection goes on as plain TCP, and when it may (RFC 8684 §3.7). */

import type { FallbackReason } from "../events.ts";
import { resetReason } from "../wire/mptcp-options.ts";
import { addHigh, addLow } from "../wire/sequence.ts";
import type { Connection } from "./connection.ts";
import type { Mapping } from "./mapping-table.ts";
import type { Subflow } from "./subflow.ts";

export class Fallback {
  /** undefined: the connection speaks MPTCP. */
  reason: FallbackReason | undefined;
  readonly #connection: Connection;
  /** MP_FAIL has to go out before the fallback that it announces. */
  #failedOn: Subflow | undefined;

  constructor(connection: Connection, reason: FallbackReason | undefined) {
    this.#connection = connection;
    this.reason = reason;
  }

  /** From now on the stream of `subflow`, the only one, is the data. */
  begin(reason: FallbackReason, subflow: Subflow, now: number): void {
    if (this.reason !== undefined) return;
    const connection = this.#connection;
    this.reason = reason;
    connection.dataSender.stop(now);
    subflow.infiniteMapping ??= {
      subflowStart: subflow.delivered,
      dataStart: subflow.delivered === 1 ? 0 : connection.reassembly.next,
    };
    connection.environment.unregisterToken(connection.localKey!.token);
    connection.environment.record({
      time: now,
      name: "mptcp:fallback",
      connection: connection.id,
      section: "RFC 8684 §3.7",
      reason,
    });
  }

  onInfiniteMapping(subflow: Subflow, subflowStart: number, dataStart: number, now: number): void {
    if (this.#connection.subflowSet.live > 1) {
      this.#reset(subflow, resetReason.mptcpSpecific, now);
      return;
    }
    subflow.infiniteMapping = { subflowStart: Math.max(subflowStart, subflow.delivered), dataStart };
    this.begin("infinite-mapping-received", subflow, now);
  }

  /** MP_FAIL: the peer saw a wrong checksum. */
  onFail(subflow: Subflow, now: number): void {
    if (this.#connection.subflowSet.live > 1) this.#reset(subflow, resetReason.middleboxInterference, now);
    else this.begin("checksum-failed", subflow, now);
  }

  onContradictoryMapping(subflow: Subflow, now: number): void {
    this.#reset(subflow, resetReason.mptcpSpecific, now);
  }

  /** In-order payload at `offset` that no mapping covers. True: it is data all the same. */
  onUnmappedData(subflow: Subflow, offset: number, now: number): boolean {
    const { reassembly, subflowSet } = this.#connection;
    if (subflowSet.live > 1 || reassembly.outOfOrderBytes > 0) {
      this.#reset(subflow, resetReason.middleboxInterference, now);
      return false;
    }
    subflow.infiniteMapping = { subflowStart: offset, dataStart: reassembly.next };
    this.begin("mapping-missing", subflow, now);
    return true;
  }

  /** The whole mapping has come, with a wrong checksum. True: its bytes are data all the same. */
  onChecksumFailure(subflow: Subflow, mapping: Mapping, now: number): boolean {
    const connection = this.#connection;
    const { dataStart, subflowStart, length } = mapping;
    if (connection.subflowSet.live > 1) {
      this.#reset(subflow, resetReason.middleboxInterference, now);
      return false;
    }
    const base = connection.peerKey!.firstDataSequence;
    connection.paths.sendSignal({ kind: "fail", high: addHigh(base, dataStart), low: addLow(base, dataStart) });
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

  #reset(subflow: Subflow, reason: number, now: number): void {
    subflow.resetReason = reason;
    subflow.endpoint.abort("protocol-error", now);
  }
}

/** The receive side of a connection: its data in order, and the window that it tells its peer, shared by all subflows (RFC 8684 §3.3.5). */

import type { EventRecorder } from "../events.ts";
import type { Connection } from "./connection.ts";
import { Reassembly } from "./reassembly.ts";
import { ReceiveAutotuning, type TuningObserver } from "./receive-autotuning.ts";
import type { Subflow } from "./subflow.ts";

export class DataReceiver {
  readonly reassembly: Reassembly;
  readonly #connection: Connection;
  readonly #autotuning: ReceiveAutotuning | undefined;
  readonly #trace: EventRecorder | undefined;
  #opened = false;
  /** The largest data offset up to which the peer has been told that it may send: of all subflows. */
  #edgeTold = 0;

  constructor(connection: Connection) {
    const { autotune, receiveBufferBytes, slabs } = connection.environment;
    this.#connection = connection;
    this.#trace = connection.environment.trace["flow-control"];
    this.#autotuning = autotune ? new ReceiveAutotuning(receiveBufferBytes) : undefined;
    this.reassembly = new Reassembly(this.#autotuning?.limit ?? receiveBufferBytes, slabs);
  }

  onData(dataOffset: number, bytes: Uint8Array, byteOffset: number, length: number): void {
    if (this.#connection.lifetime.fastClosing) return;
    if (this.reassembly.receive(dataOffset, bytes, byteOffset, length)) this.#afterReceive();
  }

  /** DATA_FIN stands at `dataOffset`. */
  onDataFin(dataOffset: number, subflow: Subflow, now: number): void {
    const { environment, id } = this.#connection;
    if (this.reassembly.finOffset === Number.POSITIVE_INFINITY) {
      environment.record({
        time: now,
        name: "mptcp:data-fin",
        connection: id,
        section: "RFC 8684 §3.3.3",
        initiator: "remote",
        dataOffset,
      });
    }
    if (this.reassembly.receiveFin(dataOffset)) this.#afterReceive();
    subflow.endpoint.requestAck();
  }

  /** The application has read. */
  onRead(now: number): void {
    this.#opened = true;
    this.#tune(now);
  }

  /** A segment goes out with a DATA_ACK and the window. */
  noteTold(): void {
    this.#edgeTold = this.reassembly.windowEdge;
  }

  /** A window update, when the one that the peer knows is small and a good deal can be added (RFC 9293 §3.8.6.2.2). */
  announce(now: number): void {
    if (!this.#opened) return;
    this.#opened = false;
    const { plain, subflows } = this.#connection;
    const { limit, window, windowEdge } = this.reassembly;
    const sharedLag = windowEdge - this.#edgeTold;
    // Mostly the peer knows of enough: then no subflow has to be looked at.
    if (!plain && (window - sharedLag >= limit / 2 || sharedLag < limit / 8)) return;
    for (const { id, endpoint, usable } of subflows) {
      if (!usable && endpoint.state !== "fin-wait-1" && endpoint.state !== "fin-wait-2") continue;
      const lag = plain ? endpoint.windowLag() : sharedLag;
      const known = window - lag;
      if (known < limit / 2 && lag >= Math.min(limit / 2, Math.max(2 * endpoint.segmentSize, limit / 8))) {
        endpoint.requestAck();
        this.#tellUpdate(id, known, lag, now);
      }
    }
  }

  #afterReceive(): void {
    const connection = this.#connection;
    connection.notifications.readable = true;
    connection.environment.notify(connection);
    if (this.reassembly.complete) connection.lifetime.onRemoteEnd();
  }

  /** The slowest subflow decides how much others may bring meanwhile (NSDI'12 §4.2). */
  #tune(now: number): void {
    if (this.#autotuning === undefined) return;
    let slowest = 0;
    for (const { endpoint, stale } of this.#connection.subflows)
      if (!stale) slowest = Math.max(slowest, endpoint.roundTripMicroseconds);
    const tell = this.#trace && this.#tuningObserver(this.#trace, this.#autotuning, slowest, now);
    if (this.#autotuning.onRead(this.reassembly.consumed, slowest, now, tell))
      this.reassembly.grow(this.#autotuning.limit);
  }

  #tuningObserver(
    record: EventRecorder,
    autotuning: ReceiveAutotuning,
    rttMicroseconds: number,
    now: number,
  ): TuningObserver {
    return (readBytes, sustainedBytes, elapsedMicroseconds, formerLimit) =>
      record({
        time: now,
        name: "flow-control:receive-window-tuned",
        connection: this.#connection.id,
        section: "NSDI'12 §4.2",
        readBytes,
        sustainedBytes,
        elapsedMicroseconds,
        rttMicroseconds,
        formerLimit,
        limit: autotuning.limit,
        maximum: this.#connection.environment.receiveBufferBytes,
      });
  }

  #tellUpdate(subflow: number, knownBytes: number, addedBytes: number, now: number): void {
    this.#trace?.({
      time: now,
      name: "flow-control:window-update-due",
      connection: this.#connection.id,
      subflow,
      section: "RFC 9293 §3.8.6.2.2",
      knownBytes,
      addedBytes,
      limit: this.reassembly.limit,
    });
  }
}

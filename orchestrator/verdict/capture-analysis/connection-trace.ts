/**
 * One connection as seen at one host: an initial subflow, those that joined by token, and two streams of bytes put together from all of them. A connection that is
 * not multipath is its one subflow, mapped one to one.
 */
import { initialDataSequenceNumber, joinHmac, tokenOfKey } from "./connection-keys.ts";
import type { MpCapable } from "./mptcp-option.ts";
import { StreamTrace } from "./stream-trace.ts";
import { dssMapping } from "./subflow-trace.ts";
import type { SubflowDirectionTrace, SubflowTrace } from "./subflow-trace.ts";
import type { TcpFrame } from "./tcp-frame.ts";

/** So much payload without any mapping ever, and it is no multipath connection. */
const unmappedSegmentsOfFallback = 64;

export interface TracedFallback {
  readonly at: number;
  readonly reason: string;
}

export interface TracedSubflow {
  readonly trace: SubflowTrace;
  readonly initial: boolean;
  readonly openedBy: "client" | "server";
}

export class ConnectionTrace {
  readonly toServer: StreamTrace;
  readonly toClient: StreamTrace;
  readonly subflows: TracedSubflow[];
  clientKey: Buffer | undefined;
  serverKey: Buffer | undefined;
  #fallback: TracedFallback | undefined;
  #plain = false;
  readonly #dataBase: { toServer?: bigint; toClient?: bigint } = {};

  constructor(initial: SubflowTrace, binMicroseconds: number) {
    this.subflows = [{ trace: initial, initial: true, openedBy: "client" }];
    this.toServer = new StreamTrace(binMicroseconds);
    this.toClient = new StreamTrace(binMicroseconds);
  }

  get initial(): SubflowTrace {
    return this.subflows[0]!.trace;
  }

  /** Whether the client asked for MPTCP, as far as this host saw. */
  get offered(): boolean {
    return this.initial.handshake.syn?.subtype === "MP_CAPABLE";
  }

  /** Both ends agreed to MPTCP and carried it on after the handshake, as far as this host saw. */
  get multipath(): boolean {
    return !this.#plain && this.initial.handshake.synAck?.subtype === "MP_CAPABLE";
  }

  get fallback(): TracedFallback | undefined {
    return this.#fallback;
  }

  /** Which side's token it is, undefined for none of this connection. */
  ownerOfToken(token: number): "client" | "server" | undefined {
    if (this.serverKey !== undefined && tokenOfKey(this.serverKey) === token) return "server";
    if (this.clientKey !== undefined && tokenOfKey(this.clientKey) === token) return "client";
    return undefined;
  }

  join(trace: SubflowTrace, openedBy: "client" | "server"): TracedSubflow {
    const subflow = { trace, initial: false, openedBy };
    this.subflows.push(subflow);
    return subflow;
  }

  handleFrame(subflow: TracedSubflow, frame: TcpFrame, time: number, initiatorSends: boolean): void {
    const { trace } = subflow;
    trace.handleFrame(frame, time, initiatorSends);
    if (subflow.initial) this.#learnFromHandshake(frame, time);
    const direction = trace.direction(initiatorSends);
    const clientSends = initiatorSends === (subflow.openedBy === "client");
    if (!frame.syn && frame.payloadLength === 0) {
      this.#addMapping(subflow, direction, frame, time, clientSends);
      return;
    }
    const offset = direction.offset(frame);
    this.#addMapping(subflow, direction, frame, time, clientSends);
    if (frame.payloadLength > 0) this.#addPayload(direction, time, offset, offset + frame.payloadLength, clientSends);
  }

  /** No frame comes any more: what is unmapped now stays so. */
  finish(): void {
    const { fromInitiator, fromResponder } = this.initial;
    const first = [fromInitiator, fromResponder].find(
      (direction) => direction.mappings.isEmpty && direction.unmapped.length > 0,
    );
    if (first !== undefined && !this.#plain) this.#fallBackOverPayload(first.unmapped[0]!.time);
  }

  /** Whether both HMACs of a join are right (RFC 8684 §3.2); undefined where a key or a part of the handshake was not seen. */
  joinAuthenticated(subflow: TracedSubflow): boolean | undefined {
    const { syn, synAck, ack } = subflow.trace.handshake;
    if (this.clientKey === undefined || this.serverKey === undefined) return undefined;
    if (syn?.subtype !== "MP_JOIN" || syn.form !== "syn") return undefined;
    if (synAck?.subtype !== "MP_JOIN" || synAck.form !== "syn-ack") return undefined;
    if (ack?.subtype !== "MP_JOIN" || ack.form !== "ack") return undefined;
    const keys = subflow.openedBy === "client" ? [this.clientKey, this.serverKey] : [this.serverKey, this.clientKey];
    const initiator = { key: keys[0]!, nonce: syn.nonce };
    const responder = { key: keys[1]!, nonce: synAck.nonce };
    return (
      joinHmac(responder, initiator).subarray(0, 8).equals(synAck.truncatedHmac) &&
      joinHmac(initiator, responder).subarray(0, 20).equals(ack.hmac)
    );
  }

  #learnFromHandshake(frame: TcpFrame, time: number): void {
    const capable = frame.mptcp.find((option): option is MpCapable => option.subtype === "MP_CAPABLE");
    if (frame.syn && frame.ack) {
      this.serverKey ??= capable?.senderKey;
      if (capable === undefined && this.initial.handshake.synAck === undefined) {
        this.#becomePlain();
        if (this.offered) this.#fallback ??= { at: time, reason: "the SYN/ACK came without MP_CAPABLE" };
      }
    } else if (!frame.syn && capable?.receiverKey !== undefined) {
      this.clientKey ??= capable.senderKey;
      this.serverKey ??= capable.receiverKey;
    }
    if (this.clientKey !== undefined) this.#dataBase.toServer ??= initialDataSequenceNumber(this.clientKey) + 1n;
    if (this.serverKey !== undefined) this.#dataBase.toClient ??= initialDataSequenceNumber(this.serverKey) + 1n;
    if (capable?.dataLength !== undefined) this.#map(this.initial.fromInitiator, 0, 0, capable.dataLength, true);
  }

  #addMapping(
    subflow: TracedSubflow,
    direction: SubflowDirectionTrace,
    frame: TcpFrame,
    time: number,
    clientSends: boolean,
  ): void {
    const dss = dssMapping(frame);
    if (dss?.mapping === undefined || this.#plain) return;
    const { dataSequence, length } = dss.mapping;
    const base = clientSends ? this.#dataBase.toServer : this.#dataBase.toClient;
    if (base === undefined) return;
    const seen = (clientSends ? this.toServer : this.toClient).bytes;
    const dataStart =
      dataSequence.bits === 64
        ? Number(BigInt.asIntN(64, dataSequence.value - base))
        : seen + ((dataSequence.value - Number(BigInt.asUintN(32, base)) - seen) | 0);
    if (length === 0) {
      const start = direction.relativeOffset(dss.mapping.subflowSequence);
      this.#map(direction, start, dataStart, Infinity, clientSends);
      subflow.trace.infiniteMappingAt ??= time;
      this.#fallback ??= { at: time, reason: "an infinite mapping" };
      return;
    }
    const dataLength = dss.dataFin ? length - 1 : length;
    if (dataLength > 0)
      this.#map(direction, direction.relativeOffset(dss.mapping.subflowSequence), dataStart, dataLength, clientSends);
  }

  /** Payload that waited for this mapping counts from when the mapping came with it or after it. */
  #map(
    direction: SubflowDirectionTrace,
    subflowStart: number,
    dataStart: number,
    length: number,
    clientSends: boolean,
  ): void {
    direction.mappings.add(subflowStart, dataStart, length);
    if (direction.unmapped.length === 0) return;
    const waiting = direction.unmapped;
    direction.unmapped = [];
    for (const { time, start, end } of waiting) this.#place(direction, time, start, end, clientSends, 0);
  }

  #addPayload(direction: SubflowDirectionTrace, time: number, start: number, end: number, clientSends: boolean): void {
    const fresh = direction.addPayload(time, start, end);
    const handshakeUnknown = !this.initial.synSeen && this.initial.synAckAt === undefined;
    if (!this.#plain && handshakeUnknown) this.#becomePlain();
    this.#place(direction, time, start, end, clientSends, fresh);
    const ofInitial = direction === this.initial.fromInitiator || direction === this.initial.fromResponder;
    if (
      !this.#plain &&
      ofInitial &&
      direction.mappings.isEmpty &&
      direction.unmapped.length > unmappedSegmentsOfFallback
    ) {
      this.#fallBackOverPayload(direction.unmapped[0]!.time);
    }
  }

  /** Bytes that are new to the subflow and not to the connection were sent over another subflow before: a re-injection. */
  #place(
    direction: SubflowDirectionTrace,
    time: number,
    start: number,
    end: number,
    clientSends: boolean,
    fresh: number,
  ): void {
    const stream = clientSends ? this.toServer : this.toClient;
    let repeated = 0;
    for (const piece of direction.mappings.resolve(start, end)) {
      if (piece.dataStart === undefined) {
        direction.unmapped.push({ time, start: piece.subflowStart, end: piece.subflowEnd });
        continue;
      }
      const length = piece.subflowEnd - piece.subflowStart;
      repeated += length - stream.add(time, piece.dataStart, piece.dataStart + length);
    }
    direction.reinjectedBytes += Math.min(fresh, repeated);
  }

  #fallBackOverPayload(at: number): void {
    this.#fallback ??= { at, reason: "data came without a DSS mapping" };
    this.#becomePlain();
  }

  /** The stream is the initial subflow's bytes. */
  #becomePlain(): void {
    this.#plain = true;
    this.#map(this.initial.fromInitiator, 0, 0, Infinity, true);
    this.#map(this.initial.fromResponder, 0, 0, Infinity, false);
  }
}

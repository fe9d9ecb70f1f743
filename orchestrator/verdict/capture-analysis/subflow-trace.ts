/** One TCP connection as seen at one host: its handshake with the MPTCP options in it, and per direction what was sent, sent again and mapped. */
import { ByteRanges } from "./byte-ranges.ts";
import { DataMappings } from "./data-mappings.ts";
import type { Dss, MptcpOption } from "./mptcp-option.ts";
import { SequenceSpace } from "./sequence-space.ts";
import type { TcpFrame } from "./tcp-frame.ts";
import { TimeBins } from "./time-bins.ts";

/** A segment's payload that no mapping covered when it came. */
export interface UnmappedPayload {
  readonly time: number;
  readonly start: number;
  readonly end: number;
}

/** Offsets count payload bytes of the subflow: 0 is the first byte after the SYN. */
export class SubflowDirectionTrace {
  readonly ranges = new ByteRanges();
  readonly mappings = new DataMappings();
  readonly arrivals: TimeBins;
  unmapped: UnmappedPayload[] = [];
  payloadBytes = 0;
  retransmissions = 0;
  retransmittedBytes = 0;
  reinjectedBytes = 0;
  #space: SequenceSpace | undefined;
  #relative: SequenceSpace | undefined;

  constructor(binMicroseconds: number) {
    this.arrivals = new TimeBins(binMicroseconds);
  }

  /** Offset of the frame's first payload byte. A direction whose SYN was not captured begins with the first segment that was. */
  offset(frame: TcpFrame): number {
    const sequence = frame.syn ? frame.sequence + 1 : frame.sequence;
    this.#space ??= new SequenceSpace(sequence);
    return this.#space.offset(sequence);
  }

  /** Offset of a DSS mapping's relative subflow sequence number, 1 being the first byte (RFC 8684 §3.3.1). */
  relativeOffset(subflowSequence: number): number {
    this.#relative ??= new SequenceSpace(1);
    return this.#relative.offset(subflowSequence);
  }

  /** Takes note of payload and returns how many of its bytes were not seen before. */
  addPayload(time: number, start: number, end: number): number {
    const fresh = this.ranges.add(start, end);
    if (fresh > 0) {
      this.payloadBytes += fresh;
      this.arrivals.add(time, fresh);
    }
    if (fresh < end - start) {
      this.retransmissions += 1;
      this.retransmittedBytes += end - start - fresh;
    }
    this.mappings.forgetBefore(this.ranges.contiguousEnd);
    return fresh;
  }
}

export class SubflowTrace {
  /** `10.0.1.2:40000-10.0.9.2:5001`: who opened it, then the other. */
  readonly id: string;
  readonly initialSequence: number;
  readonly openedAt: number;
  readonly fromInitiator: SubflowDirectionTrace;
  readonly fromResponder: SubflowDirectionTrace;
  readonly handshake: { syn?: MptcpOption; synAck?: MptcpOption; ack?: MptcpOption } = {};
  /** The SYN was seen: where it was not, nothing can be said of the options in it. */
  synSeen = false;
  synAckAt: number | undefined;
  /** The first segment of the initiator after the SYN/ACK. */
  acknowledgedAt: number | undefined;
  backup = false;
  dssSeen = false;
  infiniteMappingAt: number | undefined;
  mpFailAt: number | undefined;
  closedAt: number | undefined;
  closedBy: "fin" | "reset" | undefined;
  resetReason: number | undefined;
  #finsFrom = 0;

  constructor(frame: TcpFrame, time: number, initiatorSends: boolean, binMicroseconds: number) {
    this.id = initiatorSends ? `${frame.source()}-${frame.destination()}` : `${frame.destination()}-${frame.source()}`;
    this.initialSequence = frame.sequence;
    this.openedAt = time;
    this.fromInitiator = new SubflowDirectionTrace(binMicroseconds);
    this.fromResponder = new SubflowDirectionTrace(binMicroseconds);
  }

  direction(initiatorSends: boolean): SubflowDirectionTrace {
    return initiatorSends ? this.fromInitiator : this.fromResponder;
  }

  /** Handshake, options and closing; payload is the connection's to place. */
  handleFrame(frame: TcpFrame, time: number, initiatorSends: boolean): void {
    if (frame.syn) {
      // The SYN of a join comes before anyone knows whose it is, and only it tells where the bytes begin when the first segment is lost.
      this.direction(initiatorSends).offset(frame);
      this.#handleSyn(frame, time);
    } else if (initiatorSends && frame.ack && this.synAckAt !== undefined) this.#handleInitiatorSegment(frame, time);
    for (const option of frame.mptcp) this.#handleOption(option, time);
    if (frame.rst) this.#close(time, "reset");
    else if (frame.fin) {
      this.#finsFrom |= initiatorSends ? 1 : 2;
      if (this.#finsFrom === 3) this.#close(time, "fin");
    }
  }

  #handleSyn(frame: TcpFrame, time: number): void {
    const option = frame.mptcp.find(({ subtype }) => subtype === "MP_CAPABLE" || subtype === "MP_JOIN");
    if (!frame.ack) {
      this.synSeen = true;
      if (option !== undefined) this.handshake.syn = option;
    } else if (this.synAckAt === undefined) {
      this.synAckAt = time;
      if (option !== undefined) this.handshake.synAck = option;
    }
    if (option?.subtype === "MP_JOIN" && option.form === "syn") this.backup = option.backup;
  }

  #handleInitiatorSegment(frame: TcpFrame, time: number): void {
    this.acknowledgedAt ??= time;
    const option = frame.mptcp.find(({ subtype }) => subtype === "MP_CAPABLE" || subtype === "MP_JOIN");
    if (option !== undefined) this.handshake.ack ??= option;
  }

  #handleOption(option: MptcpOption, time: number): void {
    if (option.subtype === "DSS") this.dssSeen = true;
    else if (option.subtype === "MP_PRIO") this.backup = option.backup;
    else if (option.subtype === "MP_FAIL") this.mpFailAt ??= time;
    else if (option.subtype === "MP_TCPRST") this.resetReason = option.reason;
  }

  #close(time: number, by: "fin" | "reset"): void {
    if (this.closedBy !== undefined) return;
    this.closedAt = time;
    this.closedBy = by;
  }
}

export function dssMapping(frame: TcpFrame): Dss | undefined {
  for (const option of frame.mptcp) if (option.subtype === "DSS" && option.mapping !== undefined) return option;
  return undefined;
}

/** One TCP connection between the host under test and the script, and how the script's numbers translate to those on the wire. */

import type { Session } from "./session.ts";

export interface Endpoint {
  /** In its canonical form (address-text.ts). */
  address: string;
  port: number;
}

/** Bytes of one direction and the data that they are (RFC 8684 §3.3.1); offsets from the beginning of subflow and data, first byte 0. */
interface KnownMapping {
  subflowOffset: number;
  dataOffset: number;
  length: number;
}

export class Flow {
  readonly local: Endpoint;
  readonly remote: Endpoint;
  /** undefined: no MP_CAPABLE or MP_JOIN has been seen. */
  session: Session | undefined;
  readonly isJoin: boolean;
  /** On the wire minus in the script, for the host's sequence numbers; the script's own are the same on both. */
  sequenceOffset = 0;
  /** The script's number of either SYN. */
  localInitial = 0;
  remoteInitial = 0;
  localNonce = 0;
  remoteNonce: number;
  /** Bytes of the two SYNs that were taken (RFC 7413): the data sequence begins behind them (RFC 8684, appendix B.2). */
  readonly synData: { inbound: number; outbound: number } = { inbound: 0, outbound: 0 };
  #timestampOffset: number | undefined;
  #timestampStart: { script: number; time: number } | undefined;
  readonly #timestamps = new Map<number, number>();
  readonly #mappings = { inbound: [] as KnownMapping[], outbound: [] as KnownMapping[] };

  constructor(local: Endpoint, remote: Endpoint, isJoin: boolean, remoteNonce: number) {
    this.local = local;
    this.remote = remote;
    this.isJoin = isJoin;
    this.remoteNonce = remoteNonce;
  }

  toWire(sequence: number): number {
    return (sequence + this.sequenceOffset) >>> 0;
  }

  toScript(sequence: number): number {
    return (sequence - this.sequenceOffset) >>> 0;
  }

  /** A timestamp that the script says the host had sent. */
  timestampToWire(script: number): number {
    if (script === 0) return 0;
    return this.#timestamps.get(script) ?? (script + (this.#timestampOffset ?? 0)) >>> 0;
  }

  /** A timestamp of the host: the first one says what the script's numbers mean. */
  learnTimestamp(script: number, wire: number, time: number): void {
    this.#timestampOffset ??= wire - script;
    this.#timestampStart ??= { script, time };
    this.#timestamps.set(script, wire);
  }

  timestampToScript(wire: number): number {
    return this.#timestampOffset === undefined ? wire : (wire - this.#timestampOffset) >>> 0;
  }

  /** What the script's clock of the host shows at `time` when it ticks every `tick` microseconds. */
  expectedTimestamp(time: number, tick: number): number | undefined {
    const start = this.#timestampStart;
    return start === undefined ? undefined : start.script + Math.round((time - start.time) / tick);
  }

  learnMapping(direction: "inbound" | "outbound", mapping: KnownMapping): void {
    this.#mappings[direction].unshift(mapping);
  }

  /** The place in the data of a byte of the flow; without a mapping, as in plain TCP, both count alike. */
  dataOffset(direction: "inbound" | "outbound", subflowOffset: number): number {
    const before = this.synData[direction];
    for (const mapping of this.#mappings[direction]) {
      const inside = subflowOffset - before - mapping.subflowOffset;
      if (inside >= 0 && inside < mapping.length) return before + mapping.dataOffset + inside;
    }
    return subflowOffset;
  }
}

/** A TCP segment (RFC 9293 §3.1) as a flat record: one is reused for all received segments, one for all sent. */

import { type IpAddress, unspecifiedAddress } from "./ip-address.ts";
import { MptcpOptions } from "./mptcp-options.ts";
import { type SequenceNumber, sequenceNumber } from "./sequence.ts";

export const tcpFlag = { fin: 1, syn: 2, rst: 4, psh: 8, ack: 16, urg: 32, ece: 64, cwr: 128 } as const;

export const tcpOptionKind = {
  end: 0,
  noOperation: 1,
  mss: 2,
  windowScale: 3,
  sackPermitted: 4,
  sack: 5,
  timestamps: 8,
  userTimeout: 28,
  fastOpen: 34,
} as const;

export const tcpHeaderLength = 20;
export const maximumSackBlocks = 4;

export class TcpSegment {
  source: IpAddress = unspecifiedAddress;
  destination: IpAddress = unspecifiedAddress;
  sourcePort = 0;
  destinationPort = 0;
  sequence: SequenceNumber = sequenceNumber(0);
  acknowledgement: SequenceNumber = sequenceNumber(0);
  flags = 0;
  /** As on the wire, not scaled. */
  window = 0;

  /** Of the IP header (RFC 3168 §5). */
  ecn = 0;
  /** Of what is sent: code point (RFC 2474), and time to live or hop limit. */
  differentiatedServices = 0;
  hopLimit = 64;

  /** 0: option absent. */
  mss = 0;
  /** -1: option absent. */
  windowScale = -1;
  sackPermitted = false;
  hasTimestamps = false;
  timestampValue = 0;
  timestampEcho = 0;
  sackCount = 0;
  /** Of TCP Fast Open (RFC 7413 §2); empty: a cookie is asked for; undefined: option absent. */
  fastOpenCookie: Uint8Array | undefined;
  /** Of the User Timeout option (RFC 5482 §3.3); 0: option absent, or without meaning. */
  userTimeoutSeconds = 0;
  /** Block i is [2i] (left edge) … [2i+1] (right edge), sequence numbers. */
  readonly sackEdges: Uint32Array = new Uint32Array(2 * maximumSackBlocks);
  readonly mptcp: MptcpOptions = new MptcpOptions();

  /** Payload of a received segment, in the driver's memory. */
  payload: Uint8Array = new Uint8Array(0);
  payloadOffset = 0;
  payloadLength = 0;

  clearOptions(): void {
    this.mss = 0;
    this.windowScale = -1;
    this.sackPermitted = false;
    this.hasTimestamps = false;
    this.sackCount = 0;
    this.fastOpenCookie = undefined;
    this.userTimeoutSeconds = 0;
    this.mptcp.clear();
  }

  has(flag: number): boolean {
    return (this.flags & flag) !== 0;
  }

  /** Payload plus one for each of SYN and FIN: what the segment occupies in sequence space. */
  get sequenceLength(): number {
    return this.payloadLength + ((this.flags & tcpFlag.syn) !== 0 ? 1 : 0) + ((this.flags & tcpFlag.fin) !== 0 ? 1 : 0);
  }
}

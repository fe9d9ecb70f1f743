/** ICMPv6 (RFC 4443): a host answers ping, and is told of what does not arrive. The checksum covers the addresses, so every function needs them. */

import { checksumAdd, checksumFinish, checksumFold, pseudoHeaderSum } from "./checksum.ts";
import type { IcmpError, IcmpErrorKind } from "./icmp-error.ts";
import { ipProtocol } from "./ipv4.ts";
import { ipv6HeaderLength, minimumIpv6Mtu } from "./ipv6.ts";
import { type Ipv6Address, readIpv6 } from "./ipv6-address.ts";
import { sequenceNumber } from "./sequence.ts";
import { tcpHeaderLength } from "./tcp-segment.ts";

export const icmpv6Type = {
  destinationUnreachable: 1,
  packetTooBig: 2,
  parameterProblem: 4,
  echoRequest: 128,
  echoReply: 129,
  neighbourSolicitation: 135,
  neighbourAdvertisement: 136,
} as const;

const portUnreachable = 4;
const unrecognisedNextHeader = 1;
const quotedTcpLength = 8;
const checksumOffset = 2;

export function icmpv6ChecksumIsRight(
  bytes: Uint8Array,
  offset: number,
  length: number,
  source: Ipv6Address,
  destination: Ipv6Address,
): boolean {
  const sum = pseudoHeaderSum(source, destination, ipProtocol.icmpv6, length);
  return checksumFold(checksumAdd(sum, bytes, offset, length)) === 0xffff;
}

/** Fills the checksum of a whole message whose checksum field is 0. */
export function finishIcmpv6(message: Uint8Array, source: Ipv6Address, destination: Ipv6Address): void {
  const sum = pseudoHeaderSum(source, destination, ipProtocol.icmpv6, message.length);
  const checksum = checksumFinish(checksumAdd(sum, message, 0, message.length));
  message[checksumOffset] = checksum >> 8;
  message[checksumOffset + 1] = checksum & 255;
}

/** The reply, from `from` to `to`, to the echo request at `offset`, or undefined when it is none. Its checksum has been verified. */
export function icmpv6EchoReply(
  bytes: Uint8Array,
  offset: number,
  length: number,
  from: Ipv6Address,
  to: Ipv6Address,
): Uint8Array | undefined {
  if (length < 8 || bytes[offset] !== icmpv6Type.echoRequest || bytes[offset + 1] !== 0) return undefined;
  const reply = bytes.slice(offset, offset + length);
  reply[0] = icmpv6Type.echoReply;
  reply.fill(0, checksumOffset, checksumOffset + 2);
  finishIcmpv6(reply, from, to);
  return reply;
}

/** The error message at `offset`, or undefined when it is none about TCP that may be believed. Its checksum has been verified. */
export function parseIcmpv6Error(bytes: Uint8Array, offset: number, length: number): IcmpError | undefined {
  const tcp = 8 + ipv6HeaderLength;
  if (length < tcp + quotedTcpLength) return undefined;
  const view = new DataView(bytes.buffer, bytes.byteOffset + offset, length);
  const kind = kindOf(view.getUint8(0), view.getUint8(1));
  // We send no extension headers, so TCP follows at once.
  if (kind === undefined || view.getUint8(8) >> 4 !== 6 || view.getUint8(8 + 6) !== ipProtocol.tcp) return undefined;
  const mtu = view.getUint32(4);
  // RFC 8201 §4: below the least MTU of IPv6 a router lies.
  if (kind === "too-big" && mtu < minimumIpv6Mtu) return undefined;
  return {
    kind,
    segmentSize: mtu - ipv6HeaderLength - tcpHeaderLength,
    source: readIpv6(view, 16),
    destination: readIpv6(view, 32),
    sourcePort: view.getUint16(tcp),
    destinationPort: view.getUint16(tcp + 2),
    sequence: sequenceNumber(view.getUint32(tcp + 4)),
  };
}

function kindOf(type: number, code: number): IcmpErrorKind | undefined {
  switch (type) {
    case icmpv6Type.packetTooBig:
      return "too-big";
    case icmpv6Type.destinationUnreachable:
      return code === portUnreachable ? "hard" : "soft";
    case icmpv6Type.parameterProblem:
      return code === unrecognisedNextHeader ? "hard" : "soft";
    default:
      return undefined;
  }
}

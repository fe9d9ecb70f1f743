/** ICMP (RFC 792): a host answers ping, and is told of what does not arrive. */

import { checksumAdd, checksumFinish, checksumFold } from "./checksum.ts";
import type { IcmpError, IcmpErrorKind } from "./icmp-error.ts";
import { ipv4FromNumber } from "./ip-address.ts";
import { ipProtocol, ipv4HeaderLength } from "./ipv4.ts";
import { sequenceNumber } from "./sequence.ts";
import { tcpHeaderLength } from "./tcp-segment.ts";

const echoReply = 0;
const echoRequest = 8;

/** The reply to the ICMP message in `bytes`, or undefined when it is not an intact echo request. */
export function icmpEchoReply(bytes: Uint8Array, offset: number, length: number): Uint8Array | undefined {
  if (length < 8 || bytes[offset] !== echoRequest || bytes[offset + 1] !== 0) return undefined;
  if (checksumFold(checksumAdd(0, bytes, offset, length)) !== 0xffff) return undefined;
  const reply = bytes.slice(offset, offset + length);
  reply[0] = echoReply;
  reply[2] = 0;
  reply[3] = 0;
  const checksum = checksumFinish(checksumAdd(0, reply, 0, length));
  reply[2] = checksum >> 8;
  reply[3] = checksum & 255;
  return reply;
}

const destinationUnreachable = 3;
const unreachableCode = { protocol: 2, port: 3, fragmentationNeeded: 4 } as const;
const quotedTcpLength = 8;

/** The ICMP message at `offset`, or undefined when it is not an intact "destination unreachable" about TCP. */
export function parseIcmpError(bytes: Uint8Array, offset: number, length: number): IcmpError | undefined {
  if (length < 8 + ipv4HeaderLength + quotedTcpLength || bytes[offset] !== destinationUnreachable) return undefined;
  if (checksumFold(checksumAdd(0, bytes, offset, length)) !== 0xffff) return undefined;
  const view = new DataView(bytes.buffer, bytes.byteOffset + offset, length);
  const headerLength = (view.getUint8(8) & 15) * 4;
  if (view.getUint8(8) >> 4 !== 4 || headerLength < ipv4HeaderLength) return undefined;
  if (view.getUint8(17) !== ipProtocol.tcp || length < 8 + headerLength + quotedTcpLength) return undefined;
  const tcp = 8 + headerLength;
  return {
    kind: kindOf(view.getUint8(1)),
    // The MTU of the next hop (RFC 1191 §4); 0: an old router, which does not say.
    segmentSize: view.getUint16(6) - ipv4HeaderLength - tcpHeaderLength,
    source: ipv4FromNumber(view.getUint32(20)),
    destination: ipv4FromNumber(view.getUint32(24)),
    sourcePort: view.getUint16(tcp),
    destinationPort: view.getUint16(tcp + 2),
    sequence: sequenceNumber(view.getUint32(tcp + 4)),
  };
}

function kindOf(code: number): IcmpErrorKind {
  if (code === unreachableCode.fragmentationNeeded) return "too-big";
  return code === unreachableCode.port || code === unreachableCode.protocol ? "hard" : "soft";
}

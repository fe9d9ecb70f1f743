/** ICMP (RFC 792): a host answers ping, and is told of what does not arrive. */

import { checksumAdd, checksumFinish, checksumFold } from "./checksum.ts";
import { type IpAddress, ipv4FromNumber } from "./ip-address.ts";
import { ipProtocol, ipv4HeaderLength } from "./ipv4.ts";
import { type SequenceNumber, sequenceNumber } from "./sequence.ts";

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

/** "Destination unreachable" with what it quotes of the packet that was sent (RFC 792): the addresses, ports and sequence number of a TCP segment. */
export interface TcpUnreachable {
  code: number;
  /** Of the next hop, with code 4 (RFC 1191 §4); 0: the router does not say. */
  mtu: number;
  source: IpAddress;
  destination: IpAddress;
  sourcePort: number;
  destinationPort: number;
  sequence: SequenceNumber;
}

export const unreachableCode = { protocol: 2, port: 3, fragmentationNeeded: 4 } as const;

const destinationUnreachable = 3;
const quotedTcpLength = 8;

/** The ICMP message at `offset`, or undefined when it is not an intact "destination unreachable" about TCP. */
export function parseTcpUnreachable(bytes: Uint8Array, offset: number, length: number): TcpUnreachable | undefined {
  if (length < 8 + ipv4HeaderLength + quotedTcpLength || bytes[offset] !== destinationUnreachable) return undefined;
  if (checksumFold(checksumAdd(0, bytes, offset, length)) !== 0xffff) return undefined;
  const view = new DataView(bytes.buffer, bytes.byteOffset + offset, length);
  const headerLength = (view.getUint8(8) & 15) * 4;
  if (view.getUint8(8) >> 4 !== 4 || headerLength < ipv4HeaderLength) return undefined;
  if (view.getUint8(17) !== ipProtocol.tcp || length < 8 + headerLength + quotedTcpLength) return undefined;
  const tcp = 8 + headerLength;
  return {
    code: view.getUint8(1),
    mtu: view.getUint16(6),
    source: ipv4FromNumber(view.getUint32(20)),
    destination: ipv4FromNumber(view.getUint32(24)),
    sourcePort: view.getUint16(tcp),
    destinationPort: view.getUint16(tcp + 2),
    sequence: sequenceNumber(view.getUint32(tcp + 4)),
  };
}

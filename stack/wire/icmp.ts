/** ICMP echo (RFC 792): a host answers ping. */

import { checksumAdd, checksumFinish, checksumFold } from "./checksum.ts";

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

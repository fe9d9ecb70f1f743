/** TCP over IP, as the script's side sends and sees it: written without the stack's own code, except for the sum of RFC 1071. */

import { checksumAdd, checksumFinish, checksumFold } from "../../wire/checksum.ts";
import { addressBytes, addressText } from "./address-text.ts";
import type { Endpoint } from "./flow.ts";
import { decodeOptions, encodeOptions, type WireOption } from "./wire-option.ts";

export interface WireSegment {
  source: Endpoint;
  destination: Endpoint;
  /** Two bits of the IP header (RFC 3168 §5): 0 not ECN-capable, 1 and 2 capable, 3 congestion experienced. */
  congestionMark: number;
  /** Bits as in the header: FIN is bit 0. */
  flags: number;
  sequence: number;
  acknowledgement: number;
  window: number;
  urgentPointer: number;
  options: WireOption[];
  payload: Uint8Array;
}

/** In the order of the bits; "." is ACK, as in the language. */
const flagLetters = ["F", "S", "R", "P", ".", "U", "E", "W"] as const;

const ipv4Length = 20;
const ipv6Length = 40;
const timeToLive = 64;
const tcpLength = 20;
const tcpProtocol = 6;
export const maximumOptionsLength = 40;

export function flagsFromLetters(letters: string): number {
  let flags = 0;
  for (const letter of letters) {
    const bit = flagLetters.indexOf(letter as (typeof flagLetters)[number]);
    // C is what newer scripts call CWR.
    flags |= 1 << (letter === "C" ? flagLetters.indexOf("W") : bit);
  }
  return flags;
}

/** As scripts write them: FIN, SYN, RST, PSH, URG, ECE and CWR before ACK. */
export function lettersFromFlags(flags: number): string {
  const letters = flagLetters.filter((letter, bit) => letter !== "." && (flags & (1 << bit)) !== 0).join("");
  return letters + ((flags & 16) !== 0 ? "." : "") || "-";
}

/** An IP packet. */
export function encodePacket(segment: WireSegment): Uint8Array {
  const options = encodeOptions(segment.options);
  const headerLength = tcpLength + options.length;
  const tcp = Buffer.alloc(headerLength + segment.payload.length);
  tcp.writeUInt16BE(segment.source.port, 0);
  tcp.writeUInt16BE(segment.destination.port, 2);
  tcp.writeUInt32BE(segment.sequence, 4);
  tcp.writeUInt32BE(segment.acknowledgement, 8);
  tcp.writeUInt8((headerLength / 4) << 4, 12);
  tcp.writeUInt8(segment.flags, 13);
  tcp.writeUInt16BE(segment.window, 14);
  tcp.writeUInt16BE(segment.urgentPointer, 18);
  tcp.set(options, tcpLength);
  tcp.set(segment.payload, headerLength);
  const source = addressBytes(segment.source.address);
  const destination = addressBytes(segment.destination.address);
  tcp.writeUInt16BE(tcpChecksum(source, destination, tcp), 16);
  return Buffer.concat([ipHeader(source, destination, tcp.length, segment.congestionMark), tcp]);
}

function ipHeader(source: Uint8Array, destination: Uint8Array, payloadLength: number, congestionMark: number): Buffer {
  if (source.length === 4) {
    const ip = Buffer.alloc(ipv4Length);
    ip.writeUInt16BE(0x4500 | congestionMark, 0);
    ip.writeUInt16BE(ipv4Length + payloadLength, 2);
    ip.writeUInt8(timeToLive, 8);
    ip.writeUInt8(tcpProtocol, 9);
    ip.set(source, 12);
    ip.set(destination, 16);
    ip.writeUInt16BE(checksumFinish(checksumAdd(0, ip, 0, ipv4Length)), 10);
    return ip;
  }
  const ip = Buffer.alloc(ipv6Length);
  ip.writeUInt32BE(0x6000_0000 + (congestionMark << 20), 0);
  ip.writeUInt16BE(payloadLength, 4);
  ip.writeUInt8(tcpProtocol, 6);
  ip.writeUInt8(timeToLive, 7);
  ip.set(source, 8);
  ip.set(destination, 24);
  return ip;
}

/** Over the pseudo-header (RFC 9293 §3.1, RFC 8200 §8.1) and the segment; 0 when the checksum in it is right. */
function tcpChecksum(source: Uint8Array, destination: Uint8Array, tcp: Uint8Array): number {
  const addresses = Buffer.concat([source, destination]);
  const pseudoHeader = checksumAdd(tcpProtocol + tcp.length, addresses, 0, addresses.length);
  return checksumFinish(checksumAdd(pseudoHeader, tcp, 0, tcp.length));
}

/** undefined: not TCP. @throws Error when a checksum or a length is wrong: no stack may send that */
export function decodePacket(ip: Buffer): WireSegment | undefined {
  const isIpv4 = ip.readUInt8(0) >> 4 === 4;
  if (ip.readUInt8(isIpv4 ? 9 : 6) !== tcpProtocol) return undefined;
  const ipHeaderLength = isIpv4 ? (ip.readUInt8(0) & 15) * 4 : ipv6Length;
  if (isIpv4 && checksumFold(checksumAdd(0, ip, 0, ipHeaderLength)) !== 0xffff)
    throw new Error("the host sent a wrong IP checksum");
  const end = isIpv4 ? ip.readUInt16BE(2) : ipv6Length + ip.readUInt16BE(4);
  const sourceBytes = isIpv4 ? ip.subarray(12, 16) : ip.subarray(8, 24);
  const destinationBytes = isIpv4 ? ip.subarray(16, 20) : ip.subarray(24, 40);
  const tcp = ip.subarray(ipHeaderLength, end);
  if (tcpChecksum(sourceBytes, destinationBytes, tcp) !== 0) throw new Error("the host sent a wrong TCP checksum");
  const headerLength = (tcp.readUInt8(12) >> 4) * 4;
  return {
    source: { address: addressText(sourceBytes), port: tcp.readUInt16BE(0) },
    destination: { address: addressText(destinationBytes), port: tcp.readUInt16BE(2) },
    congestionMark: (isIpv4 ? ip.readUInt8(1) : ip.readUInt16BE(0) >> 4) & 3,
    flags: tcp.readUInt8(13),
    sequence: tcp.readUInt32BE(4),
    acknowledgement: tcp.readUInt32BE(8),
    window: tcp.readUInt16BE(14),
    urgentPointer: tcp.readUInt16BE(18),
    options: decodeOptions(tcp.subarray(tcpLength, headerLength)),
    payload: tcp.subarray(headerLength),
  };
}

/** The checksum of a mapping (RFC 8684 §3.3.1): data sequence in 8 octets, subflow sequence, length, zeros, and the data. */
export function mappingChecksum(sequence: bigint, subflowSequence: number, length: number, data: Uint8Array): number {
  const pseudoHeader = Buffer.alloc(16);
  pseudoHeader.writeBigUInt64BE(BigInt.asUintN(64, sequence), 0);
  pseudoHeader.writeUInt32BE(subflowSequence, 8);
  pseudoHeader.writeUInt16BE(length, 12);
  return checksumFinish(checksumAdd(checksumAdd(0, pseudoHeader, 0, 16), data, 0, data.length));
}

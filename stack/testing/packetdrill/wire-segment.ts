/** TCP over IPv4 over Ethernet, as the script's side sends and sees it: written without the stack's own code, except for the sum of RFC 1071. */

import { checksumAdd, checksumFinish, checksumFold, pseudoHeaderSum } from "../../wire/checksum.ts";
import type { Endpoint } from "./flow.ts";
import { decodeOptions, encodeOptions, type WireOption } from "./wire-option.ts";

export interface WireSegment {
  source: Endpoint;
  destination: Endpoint;
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

const ethernetLength = 14;
const ipLength = 20;
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

export function encodeFrame(segment: WireSegment): Uint8Array {
  const options = encodeOptions(segment.options);
  const headerLength = tcpLength + options.length;
  const tcpTotal = headerLength + segment.payload.length;
  const frame = Buffer.alloc(ethernetLength + ipLength + tcpTotal);
  frame.writeUInt16BE(0x0800, 12);
  const ip = frame.subarray(ethernetLength);
  ip.writeUInt16BE(0x4500, 0);
  ip.writeUInt16BE(ipLength + tcpTotal, 2);
  ip.writeUInt8(64, 8);
  ip.writeUInt8(tcpProtocol, 9);
  ip.writeUInt32BE(segment.source.address, 12);
  ip.writeUInt32BE(segment.destination.address, 16);
  ip.writeUInt16BE(checksumFinish(checksumAdd(0, ip, 0, ipLength)), 10);
  const tcp = ip.subarray(ipLength);
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
  const pseudoHeader = pseudoHeaderSum(segment.source.address, segment.destination.address, tcpProtocol, tcpTotal);
  tcp.writeUInt16BE(checksumFinish(checksumAdd(pseudoHeader, tcp, 0, tcpTotal)), 16);
  return frame;
}

/** undefined: not TCP over IPv4. @throws Error when a checksum or a length is wrong: no stack may send that */
export function decodeFrame(frame: Buffer): WireSegment | undefined {
  if (frame.readUInt16BE(12) !== 0x0800) return undefined;
  const ip = frame.subarray(ethernetLength);
  if (ip.readUInt8(9) !== tcpProtocol) return undefined;
  const ipHeader = (ip.readUInt8(0) & 15) * 4;
  if (checksumFold(checksumAdd(0, ip, 0, ipHeader)) !== 0xffff) throw new Error("the host sent a wrong IP checksum");
  const tcp = ip.subarray(ipHeader, ip.readUInt16BE(2));
  const source = { address: ip.readUInt32BE(12), port: tcp.readUInt16BE(0) };
  const destination = { address: ip.readUInt32BE(16), port: tcp.readUInt16BE(2) };
  const pseudoHeader = pseudoHeaderSum(source.address, destination.address, tcpProtocol, tcp.length);
  if (checksumFold(checksumAdd(pseudoHeader, tcp, 0, tcp.length)) !== 0xffff)
    throw new Error("the host sent a wrong TCP checksum");
  const headerLength = (tcp.readUInt8(12) >> 4) * 4;
  return {
    source,
    destination,
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

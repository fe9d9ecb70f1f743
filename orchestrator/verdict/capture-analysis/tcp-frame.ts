/**
 * Reads the TCP segment out of a captured frame. The judge has a dissector of its own, apart from the stack's: a fault in the stack's parser must not hide itself
 * from the verdict, and captures are cut at the snap length, which a strict parser refuses. Lengths come from the IP header, not from what was captured.
 */
import { addressOfWords, formatIpAddress } from "../../model/ip-address.ts";
import { mptcpKind, readMptcpOption } from "./mptcp-option.ts";
import type { MptcpOption } from "./mptcp-option.ts";

export interface TcpFrame {
  /** Addresses and ports, source first, as the raw bytes: equal for all segments of one direction of a connection. */
  readonly key: string;
  /** The key of the segments that flow the other way. */
  readonly reverseKey: string;
  readonly sourcePort: number;
  readonly destinationPort: number;
  readonly sequence: number;
  readonly syn: boolean;
  readonly ack: boolean;
  readonly fin: boolean;
  readonly rst: boolean;
  readonly payloadLength: number;
  readonly mptcp: readonly MptcpOption[];
  /** `10.0.1.2:40000`; made only when asked for. */
  source(): string;
  destination(): string;
}

const etherTypeIpv4 = 0x0800;
const etherTypeIpv6 = 0x86dd;
const protocolTcp = 6;
const noOptions: readonly MptcpOption[] = [];

/**
 * Undefined for anything but TCP over IPv4 or IPv6 without extension headers, for fragments, and for frames cut within the TCP header.
 * `wireLength` is the length of the frame before it was cut.
 */
export function readTcpFrame(frame: Buffer, wireLength: number): TcpFrame | undefined {
  if (frame.length < 14) return undefined;
  const etherType = frame.readUInt16BE(12);
  if (etherType === etherTypeIpv4) return readIpv4(frame, wireLength);
  if (etherType === etherTypeIpv6) return readIpv6(frame, wireLength);
  return undefined;
}

function readIpv4(frame: Buffer, wireLength: number): TcpFrame | undefined {
  if (frame.length < 34 || frame[23] !== protocolTcp) return undefined;
  const isFragment = (frame.readUInt16BE(20) & 0x3fff) !== 0;
  if (isFragment) return undefined;
  const totalLength = frame.readUInt16BE(16) || wireLength - 14;
  const headerLength = (frame.readUInt8(14) & 0x0f) * 4;
  return readTcp(frame, 14 + headerLength, totalLength - headerLength, 26, 4);
}

function readIpv6(frame: Buffer, wireLength: number): TcpFrame | undefined {
  if (frame.length < 54 || frame[20] !== protocolTcp) return undefined;
  return readTcp(frame, 54, frame.readUInt16BE(18) || wireLength - 54, 22, 16);
}

function readTcp(
  frame: Buffer,
  tcp: number,
  length: number,
  addresses: number,
  addressLength: number,
): TcpFrame | undefined {
  if (frame.length < tcp + 20) return undefined;
  const headerLength = (frame.readUInt8(tcp + 12) >> 4) * 4;
  if (headerLength < 20 || frame.length < tcp + headerLength || length < headerLength) return undefined;
  const flags = frame.readUInt8(tcp + 13);
  const source =
    frame.toString("latin1", addresses, addresses + addressLength) + frame.toString("latin1", tcp, tcp + 2);
  const destination =
    frame.toString("latin1", addresses + addressLength, addresses + 2 * addressLength) +
    frame.toString("latin1", tcp + 2, tcp + 4);
  const sourcePort = frame.readUInt16BE(tcp);
  const destinationPort = frame.readUInt16BE(tcp + 2);
  return {
    key: source + destination,
    reverseKey: destination + source,
    sourcePort,
    destinationPort,
    sequence: frame.readUInt32BE(tcp + 4),
    fin: (flags & 0x01) !== 0,
    syn: (flags & 0x02) !== 0,
    rst: (flags & 0x04) !== 0,
    ack: (flags & 0x10) !== 0,
    payloadLength: length - headerLength,
    mptcp: headerLength === 20 ? noOptions : readMptcpOptions(frame.subarray(tcp + 20, tcp + headerLength)),
    source: () => printEndpoint(source, sourcePort),
    destination: () => printEndpoint(destination, destinationPort),
  };
}

function readMptcpOptions(options: Buffer): readonly MptcpOption[] {
  let found: MptcpOption[] | undefined;
  for (let at = 0; at < options.length;) {
    const kind = options.readUInt8(at);
    if (kind === 0) break;
    if (kind === 1) {
      at += 1;
      continue;
    }
    const length = options[at + 1];
    if (length === undefined || length < 2 || at + length > options.length) break;
    if (kind === mptcpKind) {
      const option = readMptcpOption(options.subarray(at, at + length));
      if (option !== undefined) (found ??= []).push(option);
    }
    at += length;
  }
  return found ?? noOptions;
}

/** IPv6 in brackets, as RFC 5952 has it. */
function printEndpoint(raw: string, port: number): string {
  const bytes = Buffer.from(raw.slice(0, -2), "latin1");
  if (bytes.length === 4) return `${bytes.join(".")}:${port}`;
  const words = [0, 4, 8, 12].map((at) => bytes.readUInt32BE(at));
  return `[${formatIpAddress(addressOfWords(words))}]:${port}`;
}

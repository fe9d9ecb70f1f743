/**
 * Messages of the Convert Protocol (RFC 8803 §6): what a client says at the beginning of a connection to a converter, and what it is answered. Lengths on the wire
 * count words of four bytes.
 */
import { isUnicast } from "../../unicast.ts";
import { type IpAddress, isIpv6, keepAddress, unmapped } from "../../wire/ip-address.ts";
import { readIpv6, writeIpv6 } from "../../wire/ipv6-address.ts";

/** The only one there is; 0 is reserved (§6.1). */
export const convertVersion = 1;
const magicNumber = 0x2263;
const headerBytes = 4;
const wordBytes = 4;
/** Version, length, magic number: a message is at most 255 words. */
export const maximumMessageBytes: number = 255 * wordBytes;

const tlvType = {
  info: 0x01,
  connect: 0x0a,
  extendedTcpHeader: 0x14,
  supportedTcpExtensions: 0x15,
  cookie: 0x16,
  error: 0x1e,
  /** Private use (RFC 8803 §9.2): who the application is, in the shape of a Connect TLV. */
  source: 0xc0,
} as const;

/** RFC 8803 §6.2.8. */
export const convertError = {
  unsupportedVersion: 0,
  malformedMessage: 1,
  unsupportedMessage: 2,
  missingCookie: 3,
  notAuthorized: 32,
  unsupportedTcpOption: 33,
  resourceExceeded: 64,
  networkFailure: 65,
  connectionReset: 96,
  destinationUnreachable: 97,
} as const;

export interface TransportAddress {
  readonly address: IpAddress;
  readonly port: number;
}

export type ConvertTlv =
  /** Asks which extensions the converter can convert (§6.2.2). */
  | { readonly type: "info" }
  /** Asks for a connection (§6.2.5); `tcpOptions`: those that the client wants in its SYN. */
  | { readonly type: "connect"; readonly remote: TransportAddress; readonly tcpOptions: Uint8Array }
  /** The connection is there (§6.2.6); `tcpOptions`: those of the server's SYN/ACK. */
  | { readonly type: "extended-tcp-header"; readonly tcpOptions: Uint8Array }
  /** Kinds of TCP options (§6.2.4). */
  | { readonly type: "supported-tcp-extensions"; readonly kinds: readonly number[] }
  /** What the converter gave to this client before (§6.2.7). */
  | { readonly type: "cookie"; readonly cookie: Uint8Array }
  /** §6.2.8. */
  | { readonly type: "error"; readonly code: number; readonly value: Uint8Array }
  | { readonly type: "source"; readonly application: TransportAddress };

/** A message that a converter answers with an error. */
export class ConvertMessageError extends Error {
  /** That of the Error TLV; undefined: a reset is the answer (§6.1). */
  readonly code: number | undefined;
  /** What came, as far as it was read: the answer echoes it. */
  received: Uint8Array = new Uint8Array(0);

  constructor(code: number | undefined, problem: string) {
    super(problem);
    this.name = "ConvertMessageError";
    this.code = code;
  }
}

/** How long the message is that begins with `bytes`; undefined: that cannot be said yet. @throws ConvertMessageError for what begins no message */
export function messageLength(bytes: Uint8Array): number | undefined {
  if (bytes.length < headerBytes) return undefined;
  if (((bytes[2]! << 8) | bytes[3]!) !== magicNumber)
    throw new ConvertMessageError(convertError.malformedMessage, "no message of the Convert Protocol: no magic number");
  if (bytes[0] !== convertVersion)
    throw new ConvertMessageError(convertError.unsupportedVersion, `version ${bytes[0]} of the Convert Protocol`);
  if (bytes[1] === 0) throw new ConvertMessageError(undefined, "a message without its own header");
  return bytes[1]! * wordBytes;
}

/** The TLVs of a whole message. @throws ConvertMessageError */
export function parseMessage(message: Uint8Array): ConvertTlv[] {
  if (messageLength(message) !== message.length)
    throw new ConvertMessageError(convertError.malformedMessage, "a message of another length than it says");
  const tlvs: ConvertTlv[] = [];
  const types = new Set<number>();
  for (let at = headerBytes; at < message.length;) {
    const length = message[at + 1]! * wordBytes;
    if (length === 0 || at + length > message.length)
      throw new ConvertMessageError(convertError.malformedMessage, "a TLV that goes beyond its message");
    if (types.has(message[at]!)) throw new ConvertMessageError(convertError.malformedMessage, "the same TLV twice");
    types.add(message[at]!);
    tlvs.push(parseTlv(message[at]!, message.subarray(at + 2, at + length)));
    at += length;
  }
  return tlvs;
}

/** @throws RangeError when it becomes longer than a message can be */
export function writeMessage(tlvs: readonly ConvertTlv[]): Uint8Array {
  const values = tlvs.map((tlv) => ({ type: typeOf(tlv), value: writeValue(tlv) }));
  const bytes = values.reduce((sum, { value }) => sum + tlvLength(value), headerBytes);
  if (bytes > maximumMessageBytes) throw new RangeError(`a Convert message of ${bytes} bytes`);
  const message = new Uint8Array(bytes);
  message.set([convertVersion, bytes / wordBytes, magicNumber >>> 8, magicNumber & 255]);
  let at = headerBytes;
  for (const { type, value } of values) {
    message.set([type, tlvLength(value) / wordBytes], at);
    message.set(value, at + 2);
    at += tlvLength(value);
  }
  return message;
}

function tlvLength(value: Uint8Array): number {
  return Math.ceil((2 + value.length) / wordBytes) * wordBytes;
}

function typeOf(tlv: ConvertTlv): number {
  switch (tlv.type) {
    case "info":
      return tlvType.info;
    case "connect":
      return tlvType.connect;
    case "extended-tcp-header":
      return tlvType.extendedTcpHeader;
    case "supported-tcp-extensions":
      return tlvType.supportedTcpExtensions;
    case "cookie":
      return tlvType.cookie;
    case "error":
      return tlvType.error;
    case "source":
      return tlvType.source;
  }
}

function writeValue(tlv: ConvertTlv): Uint8Array {
  switch (tlv.type) {
    case "info":
      return new Uint8Array(2);
    case "connect":
      return Uint8Array.from([...writeAddress(tlv.remote), ...tlv.tcpOptions]);
    case "extended-tcp-header":
      return Uint8Array.from([0, 0, ...tlv.tcpOptions]);
    case "supported-tcp-extensions":
      return Uint8Array.from([0, 0, ...tlv.kinds]);
    case "cookie":
      return Uint8Array.from([0, 0, ...tlv.cookie]);
    case "error":
      return Uint8Array.from([tlv.code, ...tlv.value]);
    case "source":
      return writeAddress(tlv.application);
  }
}

function parseTlv(type: number, value: Uint8Array): ConvertTlv {
  switch (type) {
    case tlvType.info:
      return { type: "info" };
    case tlvType.connect:
      return { type: "connect", remote: parseRemote(value), tcpOptions: value.slice(addressBytes) };
    case tlvType.extendedTcpHeader:
      return { type: "extended-tcp-header", tcpOptions: value.slice(2) };
    case tlvType.supportedTcpExtensions:
      return { type: "supported-tcp-extensions", kinds: [...value.subarray(2)].filter((kind) => kind !== 0) };
    case tlvType.cookie:
      return { type: "cookie", cookie: value.slice(2) };
    case tlvType.error:
      return { type: "error", code: value[0]!, value: value.slice(1) };
    case tlvType.source:
      return { type: "source", application: parseAddress(value) };
    default:
      throw new ConvertMessageError(convertError.unsupportedMessage, `a TLV of type ${type}`);
  }
}

/** Port, and an IPv6 address, which may be a mapped one of IPv4. */
const addressBytes = 18;

function writeAddress({ address, port }: TransportAddress): Uint8Array {
  const bytes = new Uint8Array(addressBytes);
  const view = new DataView(bytes.buffer);
  view.setUint16(0, port);
  if (isIpv6(address)) writeIpv6(view, 2, address);
  else {
    view.setUint16(12, 0xffff);
    view.setUint32(14, address);
  }
  return bytes;
}

/** §6.2.5: groups, everybody, nobody and the host itself are no servers. */
function parseRemote(value: Uint8Array): TransportAddress {
  const remote = parseAddress(value);
  if (!isUnicast(remote.address, []) || remote.port === 0)
    throw new ConvertMessageError(convertError.malformedMessage, "a destination that no server can have");
  return remote;
}

function parseAddress(value: Uint8Array): TransportAddress {
  if (value.length < addressBytes)
    throw new ConvertMessageError(convertError.malformedMessage, "an address that is not all there");
  const view = new DataView(value.buffer, value.byteOffset, value.byteLength);
  return { address: keepAddress(unmapped(readIpv6(view, 2))), port: view.getUint16(0) };
}

/** The kinds of options in the TCP Options field of a Connect TLV, without its padding (§6.2.5, Figure 19). @throws ConvertMessageError */
export function tcpOptionKinds(options: Uint8Array): number[] {
  const kinds: number[] = [];
  for (let at = 0; at < options.length;) {
    const kind = options[at]!;
    // End of options and No-Operation have no length, and no business here: they are ignored (§7.1).
    if (kind <= 1) {
      at++;
      continue;
    }
    const length = options[at + 1] ?? 0;
    if (length < 2 || at + length > options.length)
      throw new ConvertMessageError(convertError.malformedMessage, "a TCP option that goes beyond its TLV");
    kinds.push(kind);
    at += length;
  }
  return kinds;
}

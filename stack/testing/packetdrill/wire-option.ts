/** TCP options as they stand on the wire, all values known: between the script's notation and bytes. Order and padding are kept. */

import { addressBytes, addressText } from "./address-text.ts";

export type WireOption =
  | { kind: "nop" | "eol" | "sackOK" }
  | { kind: "mss" | "wscale"; value: number }
  | { kind: "TS"; value: number; echo: number }
  | { kind: "sack"; blocks: [number, number][] }
  /** Hexadecimal digits; none: a cookie is asked for. `FOEXP`: under the number of the experiment (RFC 7413 §4.1.1, RFC 6994). */
  | { kind: "FO" | "FOEXP"; cookie: string }
  /** As in the header: fifteen bits, and whether they are minutes (RFC 5482 §3.3). */
  | { kind: "UTO"; minutes: boolean; value: number }
  | {
      kind: "mpcapable";
      version: number;
      flags: number;
      keys: bigint[];
      dataLength: number | undefined;
      checksum: number | undefined;
    }
  | { kind: "mp_join_syn"; backup: boolean; addressId: number; token: number; nonce: number }
  | { kind: "mp_join_syn_ack"; backup: boolean; addressId: number; hmac: bigint; nonce: number }
  | { kind: "mp_join_ack"; hmac: bigint }
  | WireDss
  | {
      kind: "add_address";
      echo: boolean;
      addressId: number;
      /** In its canonical form (address-text.ts). */
      address: string;
      port: number | undefined;
      hmac: bigint | undefined;
    }
  | { kind: "remove_address"; addressIds: number[] }
  | { kind: "mp_prio"; backup: boolean; addressId: number | undefined }
  | { kind: "mp_fail"; sequence: bigint }
  | { kind: "mp_fastclose"; key: bigint }
  | { kind: "mp_reset"; reason: number; flags: number }
  | { kind: "unknown"; bytes: Uint8Array };

export interface WireDss {
  kind: "dss";
  acknowledgement: { octets: 4 | 8; value: bigint } | undefined;
  mapping:
    | { octets: 4 | 8; sequence: bigint; subflowSequence: number; length: number; checksum: number | undefined }
    | undefined;
  fin: boolean;
}

const fastOpenKind = 34;
const experimentalKind = 254;
/** Of TCP Fast Open (RFC 7413 §7). */
const fastOpenExperiment = "f989";
const userTimeoutKind = 28;
const minutesFlag = 0x8000;
const mptcpKind = 30;
const subtype = {
  capable: 0,
  join: 1,
  dss: 2,
  addAddress: 3,
  removeAddress: 4,
  priority: 5,
  fail: 6,
  fastClose: 7,
  reset: 8,
} as const;

/** Grows as options are written. */
class Bytes {
  readonly bytes: number[] = [];

  add(value: number | bigint, octets: number): void {
    const big = BigInt.asUintN(8 * octets, BigInt(value));
    for (let i = octets - 1; i >= 0; i--) this.bytes.push(Number((big >> BigInt(8 * i)) & 0xffn));
  }
}

export function encodeOptions(options: readonly WireOption[]): Uint8Array {
  return Uint8Array.from(options.flatMap(encodeOption));
}

function encodeOption(option: WireOption): number[] {
  const body = new Bytes();
  switch (option.kind) {
    case "eol":
      return [0];
    case "nop":
      return [1];
    case "mss":
      body.add(option.value, 2);
      return withKind(2, body);
    case "wscale":
      body.add(option.value, 1);
      return withKind(3, body);
    case "sackOK":
      return withKind(4, body);
    case "sack":
      for (const edge of option.blocks.flat()) body.add(edge, 4);
      return withKind(5, body);
    case "TS":
      body.add(option.value, 4);
      body.add(option.echo, 4);
      return withKind(8, body);
    case "FO":
      return withKind(fastOpenKind, { bytes: [...Buffer.from(option.cookie, "hex")] });
    case "FOEXP":
      return withKind(experimentalKind, { bytes: [...Buffer.from(fastOpenExperiment + option.cookie, "hex")] });
    case "UTO":
      body.add(option.value | (option.minutes ? minutesFlag : 0), 2);
      return withKind(userTimeoutKind, body);
    case "unknown":
      return [...option.bytes];
    default:
      encodeMptcp(option, body);
      return withKind(mptcpKind, body);
  }
}

function withKind(kind: number, body: { bytes: readonly number[] }): number[] {
  return [kind, body.bytes.length + 2, ...body.bytes];
}

type MptcpOption = Extract<WireOption, { kind: `mp${string}` | "dss" | "add_address" | "remove_address" }>;

function encodeMptcp(option: MptcpOption, body: Bytes): void {
  const start = (type: number, low: number): void => body.add((type << 4) | low, 1);
  switch (option.kind) {
    case "mpcapable":
      start(subtype.capable, option.version);
      body.add(option.flags, 1);
      for (const key of option.keys) body.add(key, 8);
      if (option.dataLength !== undefined) body.add(option.dataLength, 2);
      if (option.checksum !== undefined) body.add(option.checksum, 2);
      return;
    case "mp_join_syn":
      start(subtype.join, option.backup ? 1 : 0);
      body.add(option.addressId, 1);
      body.add(option.token, 4);
      body.add(option.nonce, 4);
      return;
    case "mp_join_syn_ack":
      start(subtype.join, option.backup ? 1 : 0);
      body.add(option.addressId, 1);
      body.add(option.hmac, 8);
      body.add(option.nonce, 4);
      return;
    case "mp_join_ack":
      start(subtype.join, 0);
      body.add(0, 1);
      body.add(option.hmac, 20);
      return;
    case "dss":
      encodeDss(option, body);
      return;
    case "add_address":
      start(subtype.addAddress, option.echo ? 1 : 0);
      body.add(option.addressId, 1);
      body.bytes.push(...addressBytes(option.address));
      if (option.port !== undefined) body.add(option.port, 2);
      if (option.hmac !== undefined) body.add(option.hmac, 8);
      return;
    case "remove_address":
      start(subtype.removeAddress, 0);
      for (const id of option.addressIds) body.add(id, 1);
      return;
    case "mp_prio":
      start(subtype.priority, option.backup ? 1 : 0);
      if (option.addressId !== undefined) body.add(option.addressId, 1);
      return;
    case "mp_fail":
      start(subtype.fail, 0);
      body.add(0, 1);
      body.add(option.sequence, 8);
      return;
    case "mp_fastclose":
      start(subtype.fastClose, 0);
      body.add(0, 1);
      body.add(option.key, 8);
      return;
    case "mp_reset":
      start(subtype.reset, option.flags);
      body.add(option.reason, 1);
  }
}

/** Flags of DSS (RFC 8684 §3.3): A, a, M, m, F from bit 0. */
const dssFlag = { dataAck: 1, dataAck8: 2, mapping: 4, sequence8: 8, fin: 16 } as const;

function encodeDss({ acknowledgement, mapping, fin }: WireDss, body: Bytes): void {
  body.add(subtype.dss << 4, 1);
  let flags = fin ? dssFlag.fin : 0;
  if (acknowledgement !== undefined) flags |= dssFlag.dataAck | (acknowledgement.octets === 8 ? dssFlag.dataAck8 : 0);
  if (mapping !== undefined) flags |= dssFlag.mapping | (mapping.octets === 8 ? dssFlag.sequence8 : 0);
  body.add(flags, 1);
  if (acknowledgement !== undefined) body.add(acknowledgement.value, acknowledgement.octets);
  if (mapping === undefined) return;
  body.add(mapping.sequence, mapping.octets);
  body.add(mapping.subflowSequence, 4);
  body.add(mapping.length, 2);
  if (mapping.checksum !== undefined) body.add(mapping.checksum, 2);
}

/** Whatever does not have the form of a known option comes out as `unknown`. */
export function decodeOptions(bytes: Buffer): WireOption[] {
  const options: WireOption[] = [];
  for (let at = 0; at < bytes.length;) {
    const kind = bytes[at]!;
    if (kind <= 1) {
      options.push({ kind: kind === 0 ? "eol" : "nop" });
      at++;
      continue;
    }
    const length = Math.max(2, bytes[at + 1] ?? 2);
    options.push(decodeOption(kind, bytes.subarray(at, at + length)));
    at += length;
  }
  return options;
}

function decodeOption(kind: number, bytes: Buffer): WireOption {
  const { length } = bytes;
  if (kind === 2 && length === 4) return { kind: "mss", value: bytes.readUInt16BE(2) };
  if (kind === 3 && length === 3) return { kind: "wscale", value: bytes[2]! };
  if (kind === 4 && length === 2) return { kind: "sackOK" };
  if (kind === 8 && length === 10) return { kind: "TS", value: bytes.readUInt32BE(2), echo: bytes.readUInt32BE(6) };
  if (kind === 5 && length > 2 && (length - 2) % 8 === 0) {
    const blocks: [number, number][] = [];
    for (let at = 2; at < length; at += 8) blocks.push([bytes.readUInt32BE(at), bytes.readUInt32BE(at + 4)]);
    return { kind: "sack", blocks };
  }
  if (kind === fastOpenKind) return { kind: "FO", cookie: bytes.toString("hex", 2) };
  if (kind === experimentalKind && bytes.toString("hex", 2, 4) === fastOpenExperiment)
    return { kind: "FOEXP", cookie: bytes.toString("hex", 4) };
  if (kind === userTimeoutKind && length === 4) {
    const field = bytes.readUInt16BE(2);
    return { kind: "UTO", minutes: (field & minutesFlag) !== 0, value: field & (minutesFlag - 1) };
  }
  if (kind === mptcpKind && length >= 3) return decodeMptcp(bytes) ?? { kind: "unknown", bytes };
  return { kind: "unknown", bytes };
}

function decodeMptcp(bytes: Buffer): WireOption | undefined {
  const { length } = bytes;
  const low = bytes[2]! & 15;
  switch (bytes[2]! >> 4) {
    case subtype.capable:
      return decodeCapable(bytes, low);
    case subtype.join:
      if (length === 12)
        return {
          kind: "mp_join_syn",
          backup: (low & 1) !== 0,
          addressId: bytes[3]!,
          token: bytes.readUInt32BE(4),
          nonce: bytes.readUInt32BE(8),
        };
      if (length === 16)
        return {
          kind: "mp_join_syn_ack",
          backup: (low & 1) !== 0,
          addressId: bytes[3]!,
          hmac: bytes.readBigUInt64BE(4),
          nonce: bytes.readUInt32BE(12),
        };
      if (length === 24) return { kind: "mp_join_ack", hmac: BigInt(`0x${bytes.subarray(4).toString("hex")}`) };
      return undefined;
    case subtype.dss:
      return decodeDss(bytes);
    case subtype.addAddress:
      return decodeAddAddress(bytes, (low & 1) !== 0);
    case subtype.removeAddress:
      return length > 3 ? { kind: "remove_address", addressIds: [...bytes.subarray(3)] } : undefined;
    case subtype.priority:
      return length <= 4 ? { kind: "mp_prio", backup: (low & 1) !== 0, addressId: bytes[3] } : undefined;
    case subtype.fail:
      return length === 12 ? { kind: "mp_fail", sequence: bytes.readBigUInt64BE(4) } : undefined;
    case subtype.fastClose:
      return length === 12 ? { kind: "mp_fastclose", key: bytes.readBigUInt64BE(4) } : undefined;
    case subtype.reset:
      return length === 4 ? { kind: "mp_reset", reason: bytes[3]!, flags: low } : undefined;
    default:
      return undefined;
  }
}

function decodeCapable(bytes: Buffer, version: number): WireOption | undefined {
  const { length } = bytes;
  if (![4, 12, 20, 22, 24].includes(length)) return undefined;
  const keys: bigint[] = [];
  for (let at = 4; at + 8 <= Math.min(length, 20); at += 8) keys.push(bytes.readBigUInt64BE(at));
  return {
    kind: "mpcapable",
    version,
    flags: bytes[3]!,
    keys,
    dataLength: length >= 22 ? bytes.readUInt16BE(20) : undefined,
    checksum: length === 24 ? bytes.readUInt16BE(22) : undefined,
  };
}

function decodeDss(bytes: Buffer): WireDss | undefined {
  if (bytes.length < 4) return undefined;
  const flags = bytes[3]!;
  const option: WireDss = {
    kind: "dss",
    acknowledgement: undefined,
    mapping: undefined,
    fin: (flags & dssFlag.fin) !== 0,
  };
  const acknowledgementOctets = flags & dssFlag.dataAck ? (flags & dssFlag.dataAck8 ? 8 : 4) : 0;
  const sequenceOctets = flags & dssFlag.mapping ? (flags & dssFlag.sequence8 ? 8 : 4) : 0;
  const expected = 4 + acknowledgementOctets + (sequenceOctets === 0 ? 0 : sequenceOctets + 6);
  const hasChecksum = sequenceOctets > 0 && bytes.length === expected + 2;
  if (bytes.length !== expected && !hasChecksum) return undefined;
  const read = (at: number, octets: 4 | 8): bigint =>
    octets === 8 ? bytes.readBigUInt64BE(at) : BigInt(bytes.readUInt32BE(at));
  if (acknowledgementOctets > 0) {
    const octets = acknowledgementOctets === 8 ? 8 : 4;
    option.acknowledgement = { octets, value: read(4, octets) };
  }
  if (sequenceOctets > 0) {
    const octets = sequenceOctets === 8 ? 8 : 4;
    const at = 4 + acknowledgementOctets;
    option.mapping = {
      octets,
      sequence: read(at, octets),
      subflowSequence: bytes.readUInt32BE(at + octets),
      length: bytes.readUInt16BE(at + octets + 4),
      checksum: hasChecksum ? bytes.readUInt16BE(at + octets + 6) : undefined,
    };
  }
  return option;
}

function decodeAddAddress(bytes: Buffer, echo: boolean): WireOption | undefined {
  const afterAddress = bytes.length - (echo ? 0 : 8);
  const rest = afterAddress - 4;
  if (![4, 6, 16, 18].includes(rest)) return undefined;
  const octets = rest < 16 ? 4 : 16;
  return {
    kind: "add_address",
    echo,
    addressId: bytes[3]!,
    address: addressText(bytes.subarray(4, 4 + octets)),
    port: rest > octets ? bytes.readUInt16BE(4 + octets) : undefined,
    hmac: echo ? undefined : bytes.readBigUInt64BE(afterAddress),
  };
}

/** The MPTCP options (RFC 8684 §3) as the judge needs them; a subtype or length that the RFC does not know is left out. */

export const mptcpKind = 30;

export type MptcpOption =
  | MpCapable
  | MpJoin
  | Dss
  | { readonly subtype: "MP_PRIO"; readonly backup: boolean }
  | { readonly subtype: "MP_FAIL" }
  | { readonly subtype: "MP_FASTCLOSE" }
  | { readonly subtype: "MP_TCPRST"; readonly reason: number }
  | { readonly subtype: "ADD_ADDR" | "REMOVE_ADDR" };

/** §3.1: SYN without key, SYN/ACK with the sender's, then both; with data also the length of the implied mapping. */
export interface MpCapable {
  readonly subtype: "MP_CAPABLE";
  readonly version: number;
  readonly senderKey?: Buffer;
  readonly receiverKey?: Buffer;
  readonly dataLength?: number;
}

/** §3.2: the three forms tell themselves by their length. */
export type MpJoin =
  | {
      readonly subtype: "MP_JOIN";
      readonly form: "syn";
      readonly backup: boolean;
      readonly token: number;
      readonly nonce: Buffer;
    }
  | {
      readonly subtype: "MP_JOIN";
      readonly form: "syn-ack";
      readonly backup: boolean;
      readonly truncatedHmac: Buffer;
      readonly nonce: Buffer;
    }
  | { readonly subtype: "MP_JOIN"; readonly form: "ack"; readonly hmac: Buffer };

/** §3.3. */
export interface Dss {
  readonly subtype: "DSS";
  readonly dataFin: boolean;
  readonly mapping?: {
    readonly dataSequence:
      | { readonly bits: 32; readonly value: number }
      | { readonly bits: 64; readonly value: bigint };
    /** Relative: the first byte after the SYN is 1. */
    readonly subflowSequence: number;
    /** 0 is the infinite mapping of §3.7. */
    readonly length: number;
  };
}

export function readMptcpOption(option: Buffer): MptcpOption | undefined {
  const { length } = option;
  if (length < 3) return undefined;
  const subtype = option.readUInt8(2) >> 4;
  switch (subtype) {
    case 0:
      return readMpCapable(option);
    case 1:
      return readMpJoin(option);
    case 2:
      return readDss(option);
    case 3:
      return { subtype: "ADD_ADDR" };
    case 4:
      return { subtype: "REMOVE_ADDR" };
    case 5:
      return { subtype: "MP_PRIO", backup: (option.readUInt8(2) & 0x01) !== 0 };
    case 6:
      return { subtype: "MP_FAIL" };
    case 7:
      return { subtype: "MP_FASTCLOSE" };
    case 8:
      return length < 4 ? undefined : { subtype: "MP_TCPRST", reason: option.readUInt8(3) };
    default:
      return undefined;
  }
}

function readMpCapable(option: Buffer): MpCapable | undefined {
  const { length } = option;
  if (length < 4) return undefined;
  const head = { subtype: "MP_CAPABLE", version: option.readUInt8(2) & 0x0f } as const;
  if (length < 12) return head;
  if (length < 20) return { ...head, senderKey: copy(option, 4, 8) };
  const keys = { ...head, senderKey: copy(option, 4, 8), receiverKey: copy(option, 12, 8) };
  return length < 22 ? keys : { ...keys, dataLength: option.readUInt16BE(20) };
}

function readMpJoin(option: Buffer): MpJoin | undefined {
  const backup = (option.readUInt8(2) & 0x01) !== 0;
  switch (option.length) {
    case 12:
      return { subtype: "MP_JOIN", form: "syn", backup, token: option.readUInt32BE(4), nonce: copy(option, 8, 4) };
    case 16:
      return {
        subtype: "MP_JOIN",
        form: "syn-ack",
        backup,
        truncatedHmac: copy(option, 4, 8),
        nonce: copy(option, 12, 4),
      };
    case 24:
      return { subtype: "MP_JOIN", form: "ack", hmac: copy(option, 4, 20) };
    default:
      return undefined;
  }
}

function readDss(option: Buffer): Dss | undefined {
  if (option.length < 4) return undefined;
  const flags = option.readUInt8(3);
  const dataFin = (flags & 0x10) !== 0;
  if ((flags & 0x04) === 0) return { subtype: "DSS", dataFin };
  const at = 4 + ((flags & 0x01) === 0 ? 0 : (flags & 0x02) === 0 ? 4 : 8);
  const wide = (flags & 0x08) !== 0;
  const after = at + (wide ? 8 : 4);
  if (option.length < after + 6) return undefined;
  return {
    subtype: "DSS",
    dataFin,
    mapping: {
      dataSequence: wide
        ? { bits: 64, value: option.readBigUInt64BE(at) }
        : { bits: 32, value: option.readUInt32BE(at) },
      subflowSequence: option.readUInt32BE(after),
      length: option.readUInt16BE(after + 4),
    },
  };
}

/** The frame's memory is the reader's, to be used again. */
function copy(option: Buffer, at: number, length: number): Buffer {
  return Buffer.from(option.subarray(at, at + length));
}

/** A script as values: what the parser gives and the interpreter runs. Times are microseconds. */

import type { Position } from "./script-error.ts";

export interface Script {
  file: string;
  /** `--name=value` lines at the beginning. */
  options: ScriptOption[];
  statements: Statement[];
}

export interface ScriptOption {
  name: string;
  value: string | undefined;
  position: Position;
}

/** When a statement takes place; `relative`: counted from the statement before. */
export type StatementTime =
  | { kind: "immediate" }
  | { kind: "any" }
  | { kind: "at"; relative: boolean; from: number; to: number };

export interface Statement {
  time: StatementTime;
  /** For a call that blocks: when it returns, counted as `time` is. */
  endTime: number | undefined;
  action: Action;
  position: Position;
}

export type Action =
  | { kind: "packet"; packet: PacketSpec }
  | { kind: "call"; call: CallSpec }
  | { kind: "shell"; command: string }
  | { kind: "code"; text: string };

// Packets.

export interface PacketSpec {
  direction: "inbound" | "outbound";
  /** `[tos 0x4]` and so on, encapsulation, UDP and ICMP: understood as to form, and not run. */
  unsupported: string | undefined;
  /** `[noecn]`, `[ect1]`, `[ect0]`, `[ce]`: the two bits of the IP header (RFC 3168 §5); undefined: not set, not compared. */
  congestionMark: number | undefined;
  source: AddressRef | undefined;
  destination: AddressRef | undefined;
  /** `sock(3)`. */
  socket: number | undefined;
  tcp: TcpSpec | undefined;
  /** As written. */
  text: string;
  position: Position;
}

/** `addr[name]`, `addr[name=inet_addr("10.0.0.1")]`, `addr[name:port]`. */
export interface AddressRef {
  name: string | undefined;
  address: string | undefined;
  port: number | undefined;
  position: Position;
}

export interface TcpSpec {
  /** Letters of FSRPEWUC in the order of the script, "." for ACK. */
  flags: string;
  sequence: number;
  length: number;
  acknowledgement: number | undefined;
  window: number | undefined;
  urgentPointer: number | undefined;
  /** undefined for `<...>`: not compared. */
  options: OptionSpec[] | undefined;
}

export type OptionSpec =
  | { kind: "nop" | "eol" | "sackOK" }
  | { kind: "mss" | "wscale"; value: number }
  | { kind: "TS"; value: number; echo: number }
  | { kind: "sack"; blocks: [number, number][] }
  /** The cookie: hexadecimal digits, or the name of one that the host has granted or the script has; "": one is asked for. */
  | { kind: "FO" | "FOEXP" | "md5"; cookie: string; position: Position }
  | { kind: "UTO"; minutes: boolean; value: number }
  /** A form that is read and cannot be run: a macro that a runner's command line would define, an option that is not built. */
  | { kind: "undefined"; text: string; position: Position }
  | MptcpSpec;

export type MptcpSpec =
  | CapableSpec
  | JoinSynSpec
  | JoinSynAckSpec
  | JoinAckSpec
  | DssSpec
  | AddAddressSpec
  | RemoveAddressSpec
  | PrioritySpec
  | FailSpec
  | FastCloseSpec
  | ResetSpec;

/** A key variable, and the value that the script gives it. */
export interface KeyRef {
  name: string;
  value: bigint | undefined;
  position: Position;
}

/** An HMAC or token: computed, a number, or computed from named keys. */
export type AuthenticatorSpec =
  | { kind: "auto" }
  | { kind: "literal"; value: bigint }
  | { kind: "function"; name: string; keys: KeyRef[]; position: Position };

export interface CapableSpec {
  kind: "mpcapable";
  version: number;
  flags: number;
  keys: KeyRef[];
  dataLength: number | undefined;
  checksum: ChecksumSpec;
  position: Position;
}
export interface JoinSynSpec {
  kind: "mp_join_syn";
  backup: boolean;
  addressId: number | undefined;
  token: AuthenticatorSpec;
  nonce: number | undefined;
  position: Position;
}
export interface JoinSynAckSpec {
  kind: "mp_join_syn_ack";
  backup: boolean;
  addressId: number | undefined;
  hmac: AuthenticatorSpec;
  nonce: number | undefined;
  position: Position;
}
export interface JoinAckSpec {
  kind: "mp_join_ack";
  hmac: AuthenticatorSpec;
  position: Position;
}

/** "none" for `nocs`; "auto": right by computation. */
export type ChecksumSpec = "none" | "auto" | number;

/** A data sequence number: the initial one of its direction, or of `base`, plus `value`; the first byte of data is 1. */
export interface DataNumber {
  octets: 4 | 8;
  value: bigint;
  /** Counted from the initial data sequence number of this key instead. */
  base: KeyRef | undefined;
  /** The initial number is that of version 0 (SHA-1, RFC 6824 §3.1), which cannot be run. */
  version?: 0;
  /** No number is written: the one that follows from what has passed, which is not worked out here. */
  automatic?: true;
}
export interface DssSpec {
  kind: "dss";
  acknowledgement: DataNumber | undefined;
  sequence: DataNumber | undefined;
  subflowSequence: number | undefined;
  length: number | undefined;
  checksum: ChecksumSpec;
  fin: boolean;
  position: Position;
}
export interface AddAddressSpec {
  kind: "add_address";
  addressId: number | undefined;
  address: AddressRef;
  port: number | undefined;
  echo: boolean;
  hmac: AuthenticatorSpec | undefined;
  position: Position;
}
export interface RemoveAddressSpec {
  kind: "remove_address";
  addressIds: number[];
}
export interface PrioritySpec {
  kind: "mp_prio";
  backup: boolean;
  addressId: number | undefined;
}
export interface FailSpec {
  kind: "mp_fail";
  sequence: DataNumber | undefined;
  position: Position;
}
export interface FastCloseSpec {
  kind: "mp_fastclose";
  key: KeyRef | undefined;
  /** Added to the key. */
  step: bigint;
  position: Position;
}
export interface ResetSpec {
  kind: "mp_reset";
  reason: number;
  flags: number;
}

// Calls.

export interface CallSpec {
  name: string;
  arguments: Expression[];
  /** undefined for "?": not looked at. */
  result: Expression | undefined;
  /** Name of the error that goes with a result of -1. */
  errno: string | undefined;
  position: Position;
}

export type Expression =
  | { kind: "ellipsis"; position: Position }
  | { kind: "integer"; value: bigint; position: Position }
  | { kind: "word"; name: string; position: Position }
  | { kind: "string"; text: string; position: Position }
  | { kind: "or"; operands: Expression[]; position: Position }
  | { kind: "list"; items: Expression[]; position: Position }
  | { kind: "structure"; fields: Map<string, Expression>; position: Position }
  /** The header of an encapsulation, `{flags [key present], sum 0, …}` of GRE or `{(label 1, tc 0, [S], ttl 2)}` of MPLS: read as to form. */
  | { kind: "header"; text: string; position: Position }
  | { kind: "application"; name: string; arguments: Expression[]; position: Position };

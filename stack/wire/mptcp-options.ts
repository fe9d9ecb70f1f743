/** The options of Multipath TCP v1 (RFC 8684 §3) as one flat record that is filled by parsing and read by emitting. */

import { type IpAddress, unspecifiedAddress } from "./ip-address.ts";

export const mptcpOptionKind = 30;

export const mptcpSubtype = {
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

/** Bits of `MptcpOptions.present`, one for each subtype. */
export const mptcpPresent = {
  capable: 1,
  join: 2,
  dss: 4,
  addAddress: 8,
  removeAddress: 16,
  priority: 32,
  fail: 64,
  fastClose: 128,
  reset: 256,
} as const;

/** Flags of MP_CAPABLE (RFC 8684 §3.1). */
export const capableFlag = {
  checksumRequired: 0x80,
  extensibility: 0x40,
  noJoinToInitialAddress: 0x20,
  hmacSha256: 0x01,
} as const;

/** Reasons of MP_TCPRST (RFC 8684 §3.6). */
export const resetReason = {
  unspecified: 0,
  mptcpSpecific: 1,
  lackOfResources: 2,
  administrativelyProhibited: 3,
  tooMuchOutstandingData: 4,
  unacceptablePerformance: 5,
  middleboxInterference: 6,
} as const;

const maximumRemovedAddresses = 16;

/** ADD_ADDR (RFC 8684 §3.4.1). */
export class AddAddressOption {
  /** Without an HMAC. */
  echo = false;
  id = 0;
  address: IpAddress = unspecifiedAddress;
  /** 0: none given. */
  port = 0;
  hmacHigh = 0;
  hmacLow = 0;
}

const none: AddAddressOption[] = [];

export class MptcpOptions {
  present = 0;

  capableVersion = 1;
  capableFlags = 0;
  /** How many keys the option holds: 0 (SYN), 1 (SYN/ACK), 2 (third ACK, data). */
  capableKeys = 0;
  senderKeyHigh = 0;
  senderKeyLow = 0;
  receiverKeyHigh = 0;
  receiverKeyLow = 0;
  /** Data-level length of MP_CAPABLE with data, 0: none given. */
  capableDataLength = 0;
  /** DSS checksum, -1: none; also for MP_CAPABLE with data. */
  checksum = -1;

  /** 12 SYN, 16 SYN/ACK, 24 ACK: which fields of MP_JOIN are there (RFC 8684 §3.2). */
  joinLength = 0;
  joinBackup = false;
  joinAddressId = 0;
  joinToken = 0;
  joinNonce = 0;
  /** 8 bytes on the SYN/ACK, 20 on the ACK. */
  readonly joinHmac: Uint8Array = new Uint8Array(20);

  hasDataAck = false;
  dataAck64 = false;
  dataAckHigh = 0;
  dataAckLow = 0;
  hasMapping = false;
  dataSequence64 = false;
  dataSequenceHigh = 0;
  dataSequenceLow = 0;
  /** Relative to the subflow's initial sequence number; 0 with DATA_FIN alone. */
  subflowSequence = 0;
  /** 0: infinite mapping (RFC 8684 §3.3.1). */
  dataLength = 0;
  dataFin = false;

  readonly addAddress: AddAddressOption = new AddAddressOption();
  /** Of a peer that puts several into one segment; we send one. */
  furtherAddAddresses: AddAddressOption[] = none;

  removeAddressCount = 0;
  readonly removeAddressIds: Uint8Array = new Uint8Array(maximumRemovedAddresses);

  /** Of the subflow that carries the option: there is no address id as in version 0 (RFC 8684 §3.3.8). */
  priorityBackup = false;

  failSequenceHigh = 0;
  failSequenceLow = 0;

  fastCloseKeyHigh = 0;
  fastCloseKeyLow = 0;

  resetTransient = false;
  resetReason = 0;

  clear(): void {
    this.present = 0;
    this.checksum = -1;
    this.capableDataLength = 0;
    this.hasDataAck = false;
    this.hasMapping = false;
    this.dataFin = false;
    this.furtherAddAddresses = none;
  }

  has(bit: number): boolean {
    return (this.present & bit) !== 0;
  }
}

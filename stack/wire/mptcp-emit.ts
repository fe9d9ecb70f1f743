/** MPTCP options to bytes. `mptcpOptionsLength` says how many bytes `writeMptcpOptions` writes; both end on a 4-byte boundary by NOPs. */

import { isIpv6 } from "./ip-address.ts";
import { writeIpv6 } from "./ipv6-address.ts";
import {
  type AddAddressOption,
  type MptcpOptions,
  mptcpOptionKind,
  mptcpPresent,
  mptcpSubtype,
} from "./mptcp-options.ts";

const pad = (length: number): number => (length + 3) & ~3;

function capableLength(options: MptcpOptions): number {
  if (options.capableKeys < 2) return options.capableKeys === 0 ? 4 : 12;
  if (options.capableDataLength === 0) return 20;
  return options.checksum >= 0 ? 24 : 22;
}

function dssLength(options: MptcpOptions): number {
  let length = 4;
  if (options.hasDataAck) length += options.dataAck64 ? 8 : 4;
  if (options.hasMapping) length += (options.dataSequence64 ? 14 : 10) + (options.checksum >= 0 ? 2 : 0);
  return length;
}

function addAddressLength({ address, port, echo }: AddAddressOption): number {
  return 4 + (isIpv6(address) ? 16 : 4) + (port === 0 ? 0 : 2) + (echo ? 0 : 8);
}

export function mptcpOptionsLength(options: MptcpOptions): number {
  const present = options.present;
  if (present === 0) return 0;
  let length = 0;
  if (present & mptcpPresent.capable) length += pad(capableLength(options));
  if (present & mptcpPresent.join) length += pad(options.joinLength);
  if (present & mptcpPresent.dss) length += pad(dssLength(options));
  if (present & mptcpPresent.addAddress) length += pad(addAddressLength(options.addAddress));
  if (present & mptcpPresent.removeAddress) length += pad(3 + options.removeAddressCount);
  if (present & mptcpPresent.priority) length += 4;
  if (present & mptcpPresent.fail) length += 12;
  if (present & mptcpPresent.fastClose) length += 12;
  if (present & mptcpPresent.reset) length += 4;
  return length;
}

/** Writes at `at` and returns the position after the last byte. */
export function writeMptcpOptions(options: MptcpOptions, view: DataView, at: number): number {
  const present = options.present;
  if (present & mptcpPresent.dss) at = writeDss(options, view, at);
  if (present & mptcpPresent.capable) at = writeCapable(options, view, at);
  if (present & mptcpPresent.join) at = writeJoin(options, view, at);
  if (present & mptcpPresent.addAddress) at = writeAddAddress(options.addAddress, view, at);
  if (present & mptcpPresent.removeAddress) {
    const length = 3 + options.removeAddressCount;
    writeStart(view, at, length, mptcpSubtype.removeAddress, 0);
    for (let i = 0; i < options.removeAddressCount; i++) view.setUint8(at + 3 + i, options.removeAddressIds[i]!);
    at = writePadding(view, at, length);
  }
  if (present & mptcpPresent.priority) {
    writeStart(view, at, 3, mptcpSubtype.priority, options.priorityBackup ? 1 : 0);
    at = writePadding(view, at, 3);
  }
  if (present & mptcpPresent.fail) {
    at = writePair(view, at, mptcpSubtype.fail, options.failSequenceHigh, options.failSequenceLow);
  }
  if (present & mptcpPresent.fastClose) {
    at = writePair(view, at, mptcpSubtype.fastClose, options.fastCloseKeyHigh, options.fastCloseKeyLow);
  }
  if (present & mptcpPresent.reset) {
    writeStart(view, at, 4, mptcpSubtype.reset, options.resetTransient ? 1 : 0);
    view.setUint8(at + 3, options.resetReason);
    at += 4;
  }
  return at;
}

function writeStart(view: DataView, at: number, length: number, subtype: number, lowBits: number): void {
  view.setUint8(at, mptcpOptionKind);
  view.setUint8(at + 1, length);
  view.setUint8(at + 2, (subtype << 4) | lowBits);
}

function writePadding(view: DataView, at: number, length: number): number {
  const end = at + pad(length);
  for (let i = at + length; i < end; i++) view.setUint8(i, 1);
  return end;
}

function writePair(view: DataView, at: number, subtype: number, high: number, low: number): number {
  writeStart(view, at, 12, subtype, 0);
  view.setUint8(at + 3, 0);
  view.setUint32(at + 4, high);
  view.setUint32(at + 8, low);
  return at + 12;
}

function writeCapable(options: MptcpOptions, view: DataView, at: number): number {
  const length = capableLength(options);
  writeStart(view, at, length, mptcpSubtype.capable, options.capableVersion);
  view.setUint8(at + 3, options.capableFlags);
  if (length >= 12) {
    view.setUint32(at + 4, options.senderKeyHigh);
    view.setUint32(at + 8, options.senderKeyLow);
  }
  if (length >= 20) {
    view.setUint32(at + 12, options.receiverKeyHigh);
    view.setUint32(at + 16, options.receiverKeyLow);
  }
  if (length >= 22) view.setUint16(at + 20, options.capableDataLength);
  if (length === 24) view.setUint16(at + 22, options.checksum);
  return writePadding(view, at, length);
}

function writeJoin(options: MptcpOptions, view: DataView, at: number): number {
  const length = options.joinLength;
  // The ACK form has reserved bits where the SYN forms have flag B and the address id.
  writeStart(view, at, length, mptcpSubtype.join, length !== 24 && options.joinBackup ? 1 : 0);
  view.setUint8(at + 3, length === 24 ? 0 : options.joinAddressId);
  if (length === 12) {
    view.setUint32(at + 4, options.joinToken);
    view.setUint32(at + 8, options.joinNonce);
  } else {
    const hmacLength = length === 16 ? 8 : 20;
    for (let i = 0; i < hmacLength; i++) view.setUint8(at + 4 + i, options.joinHmac[i]!);
    if (length === 16) view.setUint32(at + 12, options.joinNonce);
  }
  return at + length;
}

function writeDss(options: MptcpOptions, view: DataView, at: number): number {
  const length = dssLength(options);
  writeStart(view, at, length, mptcpSubtype.dss, 0);
  let flags = 0;
  let position = at + 4;
  if (options.hasDataAck) {
    flags |= options.dataAck64 ? 3 : 1;
    if (options.dataAck64) {
      view.setUint32(position, options.dataAckHigh);
      position += 4;
    }
    view.setUint32(position, options.dataAckLow);
    position += 4;
  }
  if (options.hasMapping) {
    flags |= options.dataSequence64 ? 12 : 4;
    if (options.dataFin) flags |= 16;
    if (options.dataSequence64) {
      view.setUint32(position, options.dataSequenceHigh);
      position += 4;
    }
    view.setUint32(position, options.dataSequenceLow);
    view.setUint32(position + 4, options.subflowSequence);
    view.setUint16(position + 8, options.dataLength);
    if (options.checksum >= 0) view.setUint16(position + 10, options.checksum);
  }
  view.setUint8(at + 3, flags);
  return writePadding(view, at, length);
}

function writeAddAddress(option: AddAddressOption, view: DataView, at: number): number {
  const length = addAddressLength(option);
  writeStart(view, at, length, mptcpSubtype.addAddress, option.echo ? 1 : 0);
  view.setUint8(at + 3, option.id);
  const { address } = option;
  if (isIpv6(address)) writeIpv6(view, at + 4, address);
  else view.setUint32(at + 4, address);
  let position = at + (isIpv6(address) ? 20 : 8);
  if (option.port !== 0) {
    view.setUint16(position, option.port);
    position += 2;
  }
  if (!option.echo) {
    view.setUint32(position, option.hmacHigh);
    view.setUint32(position + 4, option.hmacLow);
  }
  return writePadding(view, at, length);
}
